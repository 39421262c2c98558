"""Schemas of people who sign in."""

import re
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from serving.access.role import Role
from serving.api.alert_schemas import Name
from serving.api.brand_schemas import BrandName
from serving.api.entity_tag import Edited
from serving.storage.person_record import PersonRecord

# Control characters of Latin-1, and those that set the direction of text.
_TURNS = re.compile("[\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def _visible(name: str) -> str:
    """A name without characters that change how the line looks in which it is shown.

    Raises:
        PydanticCustomError: it has some.
    """
    if _TURNS.search(name):
        raise PydanticCustomError(
            "control_character", "leave out characters that control the direction of text"
        )
    return name


_PersonName = Annotated[Name, AfterValidator(_visible)]
_Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"),
]
_Brands = Annotated[list[BrandName], Field(max_length=1000)]
_Subject = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
_FOUND = (
    "Their id (`sub`) at the OpenID provider; null to find them by their e-mail address when they "
    "next come from there."
)
_SEES = "The brands whose KOLs they see, which may be none; null for every KOL."


class PersonIn(BaseModel):
    """A person to add."""

    model_config = ConfigDict(extra="forbid")

    email: _Email = Field(description="What they sign in with.")
    name: _PersonName = Field(
        description="Shown to others, and stored with what they do; nobody else has it."
    )
    role: Role
    brands: _Brands | None = Field(None, description=_SEES)
    with_password: bool = Field(
        True, description="False for a person who only signs in at the OpenID provider."
    )
    oidc_subject: _Subject | None = Field(None, description=_FOUND)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_limit(self.role, limited=self.brands is not None)
        return self


class PersonChange(BaseModel):
    """What is to be changed of a person; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: _PersonName | None = None
    role: Role | None = None
    brands: _Brands | None = Field(None, description=_SEES)
    oidc_subject: _Subject | None = Field(None, description=_FOUND)

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError(
                "no_change", "give at least one of name, role, brands and oidc_subject"
            )
        return self


class PersonOut(Edited):
    """A person, without their password."""

    edited_fields = ("name", "role", "brands", "at_provider", "disabled_at")

    person_id: str
    email: str
    name: str
    role: Role
    brands: list[str] | None = Field(description=_SEES)
    created_by: str
    created_at: datetime
    has_password: bool
    password_expires_at: datetime | None = Field(
        description="Until when they must replace the password that they were given; null once "
        "they have."
    )
    at_provider: bool = Field(description="Whether the OpenID provider knows them.")
    disabled_by: str | None
    disabled_at: datetime | None
    signed_in_at: datetime | None = Field(description="Null if they never signed in.")
    sessions: int = Field(description="In how many browsers they are signed in.")

    @classmethod
    def of(cls, person: PersonRecord, sessions: int) -> Self:
        """The schema of a person."""
        return cls.model_validate(_values(person, sessions))


class NewPersonOut(PersonOut):
    """A person with the password that they were given. It is shown this once, and not stored."""

    password: str | None = Field(
        description="For their first sign-in, within 7 days; there they choose another. Null for a "
        "person without a password."
    )

    @classmethod
    def with_password(cls, person: PersonRecord, password: str | None) -> Self:
        """The schema of a person who has no session."""
        return cls.model_validate(_values(person, 0) | {"password": password})


class PersonList(BaseModel):
    """A page of people, who was added first comes first."""

    items: list[PersonOut]
    next_cursor: str | None


class SignedOut(BaseModel):
    """What a sign-out everywhere has ended."""

    sessions: int = Field(description="How many sessions.")


def check_limit(role: Role, *, limited: bool) -> None:
    """Refuse a limit that whoever has it could lift.

    Raises:
        PydanticCustomError: an admin is limited.
    """
    if limited and role is Role.ADMIN:
        raise PydanticCustomError(
            "limited_admin",
            "an admin could lift their own limit; leave out brands, or choose another role",
        )


def _values(person: PersonRecord, sessions: int) -> dict[str, object]:
    return {
        "person_id": person.person_id,
        "email": person.email,
        "name": person.name,
        "role": person.role,
        "brands": None if person.brands is None else sorted(person.brands),
        "created_by": person.created_by,
        "created_at": person.created_at,
        "has_password": person.password_hash is not None,
        "password_expires_at": person.password_expires_at,
        "at_provider": person.subject is not None,
        "disabled_by": person.disabled_by,
        "disabled_at": person.disabled_at,
        "signed_in_at": person.signed_in_at,
        "sessions": sessions,
    }
