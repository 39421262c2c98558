"""Schemas of API keys."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from serving.access.scope import Scope
from serving.api.alert_schemas import Name
from serving.api.aware_time import AwareTime
from serving.api.brand_schemas import BrandName, KolName
from serving.storage.key_record import KeyRecord


class KeyIn(BaseModel):
    """A key to create."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(
        max_length=40,
        description="What people call it; no two usable keys have the same name.",
    )
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    kols: list[KolName] | None = Field(
        None, min_length=1, max_length=1000, description="The KOLs that it sees."
    )
    brands: list[BrandName] | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="The brands whose KOLs it sees; with neither `kols` nor `brands` it sees all.",
    )
    expires_at: AwareTime | None = Field(None, description="Null for a key without an end.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if Scope.ADMIN in self.scopes and (self.kols is not None or self.brands is not None):
            raise PydanticCustomError(
                "limited_admin",
                "an admin could lift the limit of its own key; leave out kols and brands, or the "
                "scope admin",
            )
        return self


class RotateIn(BaseModel):
    """How a key is rotated."""

    model_config = ConfigDict(extra="forbid")

    grace_seconds: int = Field(
        86_400,
        ge=0,
        le=90 * 86_400,
        description="How long the former key may be used still; 0 to refuse it at once.",
    )


class KeyOut(BaseModel):
    """A key, without its secret."""

    key_id: str
    name: str
    scopes: list[Scope]
    kols: list[str] | None = Field(description="Null, as `brands`, for a key that sees every KOL.")
    brands: list[str] | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_by: str | None
    revoked_at: datetime | None
    rotated_from: str | None = Field(description="Id of the key that it replaces.")
    last_used_at: datetime | None = Field(description="Null if it was never used.")
    usable: bool = Field(description="Whether it is neither revoked nor expired.")

    @classmethod
    def of(cls, key: KeyRecord, now: datetime) -> Self:
        """The schema of a key."""
        return cls.model_validate(_fields(key, now))


class NewKeyOut(KeyOut):
    """A key with its secret, which is shown this once."""

    key: str = Field(description="Send it as `Authorization: Bearer …`. It is not stored.")

    @classmethod
    def with_secret(cls, key: KeyRecord, written: str, now: datetime) -> Self:
        """The schema of a key that was made just now."""
        return cls.model_validate(_fields(key, now) | {"key": written})


class KeyList(BaseModel):
    """A page of keys, newest first."""

    items: list[KeyOut]
    next_cursor: str | None


def _fields(key: KeyRecord, now: datetime) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": [scope for scope in Scope if scope in key.scopes],
        "kols": None if key.limit is None else sorted(key.limit.kols),
        "brands": None if key.limit is None else sorted(key.limit.brands),
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_by": key.revoked_by,
        "revoked_at": key.revoked_at,
        "rotated_from": key.rotated_from,
        "last_used_at": key.last_used_at,
        "usable": key.is_usable(now),
    }
