"""Reads and writes rows of the outbox as records."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import RowMapping, Select, select

from monitoring.kinds import AlertKind, AlertState, Severity
from serving.delivery_state import DeliveryState
from serving.errors import StoreError
from serving.storage.alert_record import to_evidence
from serving.storage.delivery_record import Delivery, NewDelivery
from serving.storage.digest_record import JSON as DIGEST
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.notification_reason import NotificationReason
from serving.storage.payloads import (
    AlertPayload,
    DigestPayload,
    Payload,
    UnreadablePayload,
    state_after,
)
from serving.storage.tables import deliveries, kols
from serving.storage.tables import notification_payloads as payloads

_ALERT, _DIGEST = "alert", "digest"
_OF_DELIVERIES = frozenset({"payload_id", "alert_id"})


def select_deliveries() -> Select[Any]:
    """Deliveries as `to_delivery` reads them."""
    payload_columns = [column for column in payloads.c if column.name not in _OF_DELIVERIES]
    return (
        select(deliveries, *payload_columns, kols.c.name.label("kol_name"))
        .join(payloads, payloads.c.payload_id == deliveries.c.payload_id)
        .outerjoin(kols, kols.c.kol_id == payloads.c.kol_id)
    )


def to_delivery(row: RowMapping) -> Delivery:
    """A row of `select_deliveries` as the record."""
    return Delivery(
        delivery_id=row["delivery_id"],
        key=row["key"],
        channel=row["channel"],
        payload=_payload(row),
        kol_name=row["kol_name"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        recorded_at=from_micros(row["recorded_at"]),
        due_at=from_micros(row["due_at"]),
        finished_at=optional_from_micros(row["finished_at"]),
        error=row["error"],
        not_before=optional_from_micros(row["not_before"]),
        page=row["page"],
        step=row["step"],
        by_hand=row["by_hand"],
    )


def to_row(
    new: NewDelivery, payload: AlertPayload | DigestPayload, payload_id: int
) -> dict[str, Any]:
    """A new delivery as the values of its row."""
    waits = optional_micros(new.not_before)
    now = to_micros(new.recorded_at)
    return {
        "key": new.key,
        "channel": new.channel,
        "payload_id": payload_id,
        "alert_id": payload.alert_id if isinstance(payload, AlertPayload) else None,
        "state": new.state,
        "attempts": 0,
        "recorded_at": now,
        "due_at": now if waits is None else waits,
        "finished_at": None if new.skipped is None else now,
        "error": new.skipped,
        "not_before": waits if new.skipped is None else None,
        "page": new.page,
        "step": new.step,
        "by_hand": False,
    }


def to_payload_row(payload: AlertPayload | DigestPayload) -> dict[str, Any]:
    """A payload as the values of its row."""
    if isinstance(payload, DigestPayload):
        return {"type": _DIGEST, "digest": DIGEST.dump_python(payload.digest, mode="json")}
    return {
        "type": _ALERT,
        "alert_id": payload.alert_id,
        "kol_id": payload.kol_id,
        "kind": payload.kind,
        "severity": payload.severity,
        "reason": payload.reason,
        "at": to_micros(payload.at),
        "opened_at": to_micros(payload.opened_at),
        "evidence": payload.evidence.to_dict(),
        "alert_state": payload.state,
        "ended_at": optional_micros(payload.ended_at),
        "found_at": optional_micros(payload.found_at),
        "late_comments": payload.late_comments,
    }


def optional_micros(instant: datetime | None) -> int | None:
    """Whole microseconds since 1970; None for None."""
    return None if instant is None else to_micros(instant)


def _alert_state(row: RowMapping) -> AlertState:
    """The state of the alert after the transition; older versions wrote none."""
    stored = row["alert_state"]
    return state_after(row["reason"]) if stored is None else AlertState(stored)


def _payload(row: RowMapping) -> Payload:
    try:
        if row["type"] == _DIGEST:
            return DigestPayload(DIGEST.validate_python(row["digest"]))
        return AlertPayload(
            alert_id=row["alert_id"],
            kol_id=row["kol_id"],
            kind=AlertKind(row["kind"]),
            severity=Severity(row["severity"]),
            reason=NotificationReason(row["reason"]),
            at=from_micros(row["at"]),
            opened_at=from_micros(row["opened_at"]),
            evidence=to_evidence(row["evidence"]),
            state=_alert_state(row),
            ended_at=optional_from_micros(row["ended_at"]),
            found_at=optional_from_micros(row["found_at"]),
            late_comments=row["late_comments"],
        )
    except (StoreError, ValidationError, ValueError) as error:
        return UnreadablePayload(str(error))
