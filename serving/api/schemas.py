"""Schemas of scores, deliveries and the service's status."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from model.types import Sentiment
from monitoring.kinds import AlertKind, Severity
from serving.delivery_state import DeliveryState
from serving.ingest.comment import short_enough, storable
from serving.storage.delivery_record import Delivery
from serving.storage.digest_record import DigestInterval
from serving.storage.notification_reason import NotificationReason

ScoreText = Annotated[str, AfterValidator(short_enough), BeforeValidator(storable)]


class ScoreIn(BaseModel):
    """Texts to score."""

    model_config = ConfigDict(extra="forbid")

    texts: list[ScoreText] = Field(description="Texts in any language, at most 64 KiB each.")


class PredictionOut(BaseModel):
    """The prediction for one text."""

    negative: float
    neutral: float
    positive: float
    offensive: float | None = Field(description="Null if the model does not predict it.")
    label: Sentiment
    empty: bool = Field(description="True if the text has nothing to read; such a text is neutral.")
    windows: int = Field(description="Number of pieces that a long text was split into.")
    language: str = Field(
        description="ISO 639-1 code, or a longer code for a language without one; und: unknown."
    )
    in_scope: bool = Field(
        description="False if the text is unlike those the model was evaluated on: a language "
        "without figures, no letters, mostly unknown characters, or too long to be read completely."
    )


class ScoreOut(BaseModel):
    """Predictions, in the order of the texts."""

    model: str = Field(description="Id of the model's weights.")
    predictions: list[PredictionOut]


class DeliveryOut(BaseModel):
    """A notification of an alert, or a digest, for one channel."""

    delivery_id: int
    key: str = Field(description="Idempotency key that is sent to the channel.")
    channel: str
    payload: Literal["alert", "digest"] | None = Field(
        description="Content of the delivery; null if this version cannot read it."
    )
    alert_id: str | None = Field(description="This and the next five fields are null for a digest.")
    kol_id: str | None
    kind: AlertKind | None
    severity: Severity | None
    reason: NotificationReason | None
    at: datetime | None = Field(
        description="Event time of the transition; for still_open, of the last transition; for "
        "unacknowledged, of the page."
    )
    digest: str | None = Field(
        description="Name of the digest; this and the next two fields are null for an alert."
    )
    every: DigestInterval | None = Field(description="Length of the digest's period.")
    until: datetime | None = Field(description="End of the digest's period.")
    state: DeliveryState
    attempts: int
    recorded_at: datetime
    due_at: datetime = Field(
        description="Time of the next attempt; for a finished delivery, of the last attempt."
    )
    not_before: datetime | None = Field(
        description="Start of the working hours that it waits or waited for; null if none."
    )
    page: bool = Field(description="Whether the notification is a page.")
    step: int | None = Field(description="Number of the escalation step, from 1.")
    finished_at: datetime | None
    error: str | None = Field(
        description="Error of the last attempt, or why it was skipped or given up."
    )

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """The schema of a delivery."""
        alert, digest = delivery.alert, delivery.digest
        payload: Literal["alert", "digest"] | None = None
        if alert is not None:
            payload = "alert"
        elif digest is not None:
            payload = "digest"
        return cls(
            delivery_id=delivery.delivery_id,
            key=delivery.key,
            channel=delivery.channel,
            payload=payload,
            alert_id=None if alert is None else alert.alert_id,
            kol_id=None if alert is None else alert.kol_id,
            kind=None if alert is None else alert.kind,
            severity=None if alert is None else alert.severity,
            reason=None if alert is None else alert.reason,
            at=None if alert is None else alert.at,
            digest=None if digest is None else digest.name,
            every=None if digest is None else digest.every,
            until=None if digest is None else digest.until,
            state=delivery.state,
            attempts=delivery.attempts,
            recorded_at=delivery.recorded_at,
            due_at=delivery.due_at,
            not_before=delivery.not_before,
            page=delivery.page,
            step=delivery.step,
            finished_at=delivery.finished_at,
            error=delivery.error,
        )


class DeliveryList(BaseModel):
    """A page of deliveries, the last recorded first."""

    items: list[DeliveryOut]
    next_cursor: str | None


class LogOut(BaseModel):
    """How much of the comment log is processed."""

    last_seq: int | None = Field(
        description="Null, as the next, for a principal that is limited to some KOLs."
    )
    processed_seq: int | None
    backlog: int = Field(description="Number of comments that are not processed yet.")


class StatusOut(BaseModel):
    """The status of the service."""

    version: str
    model: str
    alive: bool
    log: LogOut
    reruns: int = Field(description="KOLs to be judged again because comments came late.")
    kols: int
    open_alerts: int
    notices: list[str] = Field(
        description="What somebody should look at, such as a message that has been waiting for "
        "long; usually empty."
    )


class CheckOut(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadyOut(BaseModel):
    """Whether comments can be taken and judged."""

    status: Literal["ready", "not_ready"]
    workers: dict[str, bool]
    notices: list[str] = Field(
        description="What somebody should look at although the service is ready, such as a jump of "
        "the host's clock; usually empty."
    )
