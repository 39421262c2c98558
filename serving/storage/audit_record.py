"""One line of the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AuditOutcome(StrEnum):
    """What became of a request; `UNKNOWN` until it is over, and for ever if the service died."""

    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who asked for what, and what became of it.

    Attributes:
        entry_id: its place in the log; 0 before it is stored.
        at: when it was asked, aware, UTC.
        principal_kind: kind, id and name of who asked; None for somebody whose key was refused.
        address: the address that it came from; None if it is not known.
        action: name of the route.
        target: method and path.
        kols: the KOLs that it was about, as far as they are known.
        detail: what else is worth knowing; no secrets.
        status: the HTTP status; None while the outcome is unknown.
    """

    entry_id: int
    at: datetime
    principal_kind: str | None
    principal_id: str | None
    principal_name: str | None
    address: str | None
    action: str
    target: str
    kols: tuple[str, ...]
    detail: Mapping[str, str]
    outcome: AuditOutcome
    status: int | None
