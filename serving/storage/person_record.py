"""A person who may sign in, as stored."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person.

    Attributes:
        person_id: never changes.
        email: what they sign in with; in lower case.
        name: shown to others, and stored with what they do; nobody else has it.
        role: one word of `serving.access.role.Role`.
        brands: the brands whose KOLs they see; None for every KOL.
        created_by: who added them.
        created_at: when, aware, UTC.
        password_hash: argon2's; None for a person who has no password.
        password_expires_at: of a password that somebody else knows, which is to be replaced before
            this instant; None for one of their own.
        issuer: the OpenID provider that knows them; None before they first came from there.
        subject: their id there.
        disabled_by: who disabled the account; None if nobody did.
        disabled_at: when.
        signed_in_at: when they last signed in; None for never.
    """

    person_id: str
    email: str
    name: str
    role: str
    brands: frozenset[str] | None
    created_by: str
    created_at: datetime
    password_hash: str | None = None
    password_expires_at: datetime | None = None
    issuer: str | None = None
    subject: str | None = None
    disabled_by: str | None = None
    disabled_at: datetime | None = None
    signed_in_at: datetime | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether they may not sign in."""
        return self.disabled_at is not None


def name_key(name: str) -> str:
    """What names are compared by: two that people take for the same are the same."""
    seen = "".join(one for one in name if unicodedata.category(one) != "Cf")  # no zero width
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())


def email_key(email: str) -> str:
    """The one way in which an e-mail address is stored and compared.

    Only ASCII letters lose their case: `ﬁ` and the Kelvin sign are other mailboxes than `fi` and
    `k`, and whoever has one of those at a provider must not become somebody else here.
    """
    return "".join(one.lower() if one.isascii() else one for one in email.strip())
