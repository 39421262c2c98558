"""An API key as it is stored."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """The KOLs and brands that a key is limited to, by the ids that KOLs have now."""

    kols: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key without its secret.

    Attributes:
        key_id: the part of the key that is no secret.
        secret_hash: SHA-256 of the secret, in hex.
        name: what people call it.
        scopes: what it may do, as words.
        limit: what it is limited to; None for a key that sees every KOL.
        created_by: who made it.
        created_at: when, aware, UTC.
        expires_at: from when on it is refused; None for never.
        revoked_by: who revoked it; None if nobody did.
        revoked_at: when.
        rotated_from: id of the key that it replaces; None for a new one.
        last_used_at: when it was last used, within a minute; None for never.
    """

    key_id: str
    secret_hash: str
    name: str
    scopes: frozenset[str]
    limit: KeyLimit | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_by: str | None = None
    revoked_at: datetime | None = None
    rotated_from: str | None = None
    last_used_at: datetime | None = None

    def is_usable(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
