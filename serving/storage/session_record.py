"""A session of a person who is signed in, as stored."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session.

    Attributes:
        session_id: no secret.
        person_id: who is signed in.
        method: `password` or `oidc`.
        address: from where they signed in.
        browser: what their browser calls itself, cut.
        created_at: when, aware, UTC.
        used_at: when the session was last used, within a minute.
    """

    session_id: str
    person_id: str
    method: str
    address: str
    browser: str
    created_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A value that the cookie of a session may have.

    Attributes:
        token_hash: SHA-256 of it in hex; the value itself is not stored.
        session_id: whose.
        issued_at: when, aware, UTC.
        replaced_at: when a newer one was first used; None if none was.
    """

    token_hash: str
    session_id: str
    issued_at: datetime
    replaced_at: datetime | None = None
