"""A row of the outbox: one message on its way to one channel."""

from dataclasses import dataclass
from datetime import datetime

from serving.delivery_state import DeliveryState
from serving.storage.digest_record import Digest
from serving.storage.payloads import AlertPayload, DigestPayload, Payload


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message for a channel. Instants are aware, in UTC.

    Attributes:
        delivery_id: its place in the outbox.
        key: the idempotency key that the channel is given.
        channel: the channel's name.
        payload: what it carries.
        kol_name: the name of the alert's KOL now; None where its profile has none.
        state: where it is.
        attempts: how often it was tried since it was written or last sent by hand.
        recorded_at: when it was written.
        due_at: when the next attempt is due; of a closed one, when its last was.
        finished_at: when it was closed; None while it waits.
        error: of the last attempt, or why it was skipped; None where there is none.
        not_before: when the team's hours begin that it waits or waited for; None for no wait.
        page: whether it is to call somebody.
        step: which step of an escalation it is, from 1; None if it is none.
        by_hand: whether somebody asked to have it sent again, muted or not.
    """

    delivery_id: int
    key: str
    channel: str
    payload: Payload
    kol_name: str | None
    state: DeliveryState
    attempts: int
    recorded_at: datetime
    due_at: datetime
    finished_at: datetime | None
    error: str | None
    not_before: datetime | None
    page: bool
    step: int | None
    by_hand: bool

    @property
    def alert(self) -> AlertPayload | None:
        """The news of an alert that it carries; None if it carries something else."""
        return self.payload if isinstance(self.payload, AlertPayload) else None

    @property
    def digest(self) -> Digest | None:
        """The digest that it carries; None if it carries something else."""
        return self.payload.digest if isinstance(self.payload, DigestPayload) else None


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be written.

    Attributes:
        key: the idempotency key; two deliveries never have the same.
        channel: the channel's name.
        recorded_at: now.
        not_before: when the team's hours begin that it waits for; None for at once.
        page: whether it is to call somebody.
        step: which step of an escalation it is, from 1; None if it is none.
        skipped: why it is not to be sent; None if it is.
    """

    key: str
    channel: str
    recorded_at: datetime
    not_before: datetime | None = None
    page: bool = False
    step: int | None = None
    skipped: str | None = None

    @property
    def state(self) -> DeliveryState:
        """The state in which it is written."""
        return DeliveryState.WAITING if self.skipped is None else DeliveryState.SKIPPED
