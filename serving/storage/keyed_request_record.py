"""A request with an idempotency key, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that can be sent again.

    Attributes:
        status: the HTTP status.
        headers: those that belong to the body.
        body: its bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class KeyedRequestRecord:
    """A request that changed something, or was answered.

    Attributes:
        request_id: hash of who sent it and its idempotency key.
        principal: kind and id of who sent it.
        operation: name of the route.
        fingerprint: keyed hash of the method, address and body.
        limited_to: hash of the KOLs that the principal saw.
        at: when it was carried out, aware, UTC.
        answer: what it was answered; None where the answer was lost or is not kept.
    """

    request_id: str
    principal: str
    operation: str
    fingerprint: str
    limited_to: str
    at: datetime
    answer: StoredAnswer | None = None
