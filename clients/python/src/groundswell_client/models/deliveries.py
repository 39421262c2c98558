"""What the service sent, or is about to send."""

from datetime import datetime

from groundswell_client.record import Record


class DeliveryInfo(Record, frozen=True, kw_only=True):
    """A notification, or a digest, on its way to a channel.

    Attributes:
        key: the idempotency key that the channel receives.
        payload: "alert" or "digest"; None where the service cannot read it any more.
        alert_id: None for a digest, as the next five.
        at: event time of the transition.
        digest: the digest's name; None for an alert, as the next two.
        every: "day" or "week".
        until: end of the digest's period.
        state: "waiting", "delivered", "dead" or "skipped".
        due_at: of the next attempt; of a closed delivery, of its last.
        not_before: when the working hours that it waits for begin; None if it waits for none.
        page: whether it is to call somebody.
        step: of an escalation, from 1.
        error: of the last attempt, or why it was skipped or given up.
    """

    delivery_id: int
    key: str
    channel: str
    payload: str | None
    alert_id: str | None
    kol_id: str | None
    kind: str | None
    severity: str | None
    reason: str | None
    at: datetime | None
    digest: str | None
    every: str | None
    until: datetime | None
    state: str
    attempts: int
    recorded_at: datetime
    due_at: datetime
    not_before: datetime | None
    page: bool
    step: int | None
    finished_at: datetime | None
    error: str | None
