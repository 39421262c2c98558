"""Keys and the audit log."""

from datetime import datetime

from groundswell_client.record import Record


class KeyInfo(Record, frozen=True, kw_only=True):
    """An API key, without its secret.

    Attributes:
        kols: the KOLs that it sees, beside those of `brands`; both are None for all.
        usable: whether it is neither revoked nor expired.
    """

    key_id: str
    name: str
    scopes: list[str]
    kols: list[str] | None
    brands: list[str] | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    rotated_from: str | None
    last_used_at: datetime | None
    usable: bool


class NewKeyInfo(KeyInfo, frozen=True, kw_only=True):
    """A key with its secret."""

    key: str


class AuditEntryInfo(Record, frozen=True, kw_only=True):
    """Who asked for what, and what became of it."""

    at: datetime
    principal_name: str | None
    address: str | None
    action: str
    target: str
    outcome: str
    status: int | None
