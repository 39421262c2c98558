"""People who sign in."""

from datetime import datetime

from groundswell_client.record import Record


class PersonInfo(Record, frozen=True, kw_only=True):
    """A person.

    Attributes:
        role: "viewer", "responder", "manager" or "admin".
        brands: the brands whose KOLs they see; None for every KOL.
        password_expires_at: until when they must replace the password that they were given; None
            once they have.
        at_provider: whether the OpenID provider knows them.
        signed_in_at: None if they never signed in.
        sessions: in how many browsers they are signed in.
    """

    person_id: str
    email: str
    name: str
    role: str
    brands: list[str] | None
    created_by: str
    created_at: datetime
    has_password: bool
    password_expires_at: datetime | None
    at_provider: bool
    disabled_by: str | None
    disabled_at: datetime | None
    signed_in_at: datetime | None
    sessions: int


class NewPersonInfo(PersonInfo, frozen=True, kw_only=True):
    """A person with the password that they were given, which no other answer has."""

    password: str | None


class SignOutInfo(Record, frozen=True, kw_only=True):
    """How many sessions have ended."""

    sessions: int
