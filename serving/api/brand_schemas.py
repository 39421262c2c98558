"""Schemas of brands."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from serving.api.entity_tag import Edited
from serving.kol_limit import KolLimit
from serving.storage.brand_store import Brand

BrandName = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")
]
KolName = Annotated[str, Field(min_length=1, max_length=128)]


class BrandIn(BaseModel):
    """The KOLs of a brand."""

    model_config = ConfigDict(extra="forbid")

    kols: list[KolName] = Field(max_length=10_000, description="Ids of its KOLs; all of them.")


class BrandOut(Edited):
    """A brand, and the KOLs that belong to it."""

    edited_fields = ("brand", "kols")

    brand: str
    kols: list[str] = Field(description="Ids of those that the principal may see.")

    @classmethod
    def of(cls, brand: Brand, kols: KolLimit) -> Self:
        """The schema of a brand, as a principal sees it."""
        return cls(brand=brand.name, kols=sorted(filter(kols.allows, brand.kols)))


class BrandList(BaseModel):
    """Every brand by name."""

    items: list[BrandOut]
