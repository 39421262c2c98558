"""What a channel is sent: one transition of one alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.evidence import Evidence
from monitoring.kinds import AlertState, Reason
from serving.notify.planned_notification import PlannedNotification
from serving.storage.delivery_record import NewDelivery
from serving.storage.instants import to_micros
from serving.storage.payloads import AlertPayload
from serving.storage.post_record import PostName
from serving.storage.source_delay import LateSource


@dataclass(frozen=True, slots=True)
class Notification:
    """One transition of one alert, for one channel.

    Attributes:
        key: the idempotency key; the same at every attempt.
        alert_id: which alert.
        kol_id: whose stream.
        kol_name: the KOL's name; None where its profile has none.
        kind: the alert's kind.
        severity: at this transition.
        reason: "opened", "escalated", "aftershock", "reopened", "resolved", "revised",
            "still_open", "unacknowledged", or "test".
        at: event time of the transition, aware, UTC; of "unacknowledged" that of the page.
        opened_at: event time at which the alert was opened, aware, UTC.
        evidence: the figures behind it.
        public_url: under which people reach this service; None where it is not set.
        page: whether it is to call somebody.
        step: which step of an escalation it is, from 1; None if it is none.
        state: of the alert after the transition.
        ended_at: event time at which the incident ended, aware, UTC; None while it lasts.
        found_at: when, by the clock, comments that came late showed it; None for a transition that
            was raised as it happened.
        late_comments: how many comments came late; known of a withdrawn alert only.
        late_sources: platforms whose comments may be missing in it, the slowest first.
        top_post: what people know the post by that drives it most; None where that is not known.
    """

    key: str
    alert_id: str
    kol_id: str
    kol_name: str | None
    kind: str
    severity: str
    reason: str
    at: datetime
    opened_at: datetime
    evidence: Evidence
    public_url: str | None
    page: bool = False
    step: int | None = None
    state: AlertState = AlertState.OPEN
    ended_at: datetime | None = None
    found_at: datetime | None = None
    late_comments: int | None = None
    late_sources: tuple[LateSource, ...] = ()
    top_post: PostName | None = None

    @property
    def withdrawn(self) -> bool:
        """Whether it says that with the comments that came late there was no incident."""
        return self.reason == Reason.REVISED and self.state is AlertState.REVISED

    @property
    def link(self) -> str | None:
        """The alert's page; None where no public URL is set."""
        return self._under(f"alerts/{self.alert_id}")

    @property
    def acknowledge_link(self) -> str | None:
        """The alert's page, asking there whether to acknowledge; None as `link`."""
        return self._under(f"alerts/{self.alert_id}?action=acknowledge")

    @property
    def chart_link(self) -> str | None:
        """The alert's chart; None as `link`."""
        return self._under(f"v1/alerts/{self.alert_id}/chart.png")

    def _under(self, path: str) -> str | None:
        return self.public_url and f"{self.public_url.rstrip('/')}/{path}"


def new_deliveries(
    payload: AlertPayload,
    planned: Sequence[PlannedNotification],
    now: datetime,
    *,
    revisions: int = 0,
) -> list[NewDelivery]:
    """The deliveries that planned notifications of an alert event become.

    Args:
        payload: what they carry.
        planned: who is notified.
        now: the instant.
        revisions: how often the alert has been revised.
    """
    return [
        NewDelivery(
            key=idempotency_key(
                payload.alert_id, payload.reason, payload.at, one.channel, revisions
            ),
            channel=one.channel,
            recorded_at=now,
            not_before=one.not_before,
            page=one.page,
            skipped=one.skipped,
        )
        for one in planned
    ]


def idempotency_key(
    alert_id: str, reason: str, at: datetime, channel: str, revisions: int = 0
) -> str:
    """The idempotency key of a transition on a channel; a rebuild gives the same one.

    What was taken back may happen again at the same time; it has another key then.

    Args:
        alert_id: which alert.
        reason: which transition.
        at: its event time; an alert may be reopened and resolved repeatedly.
        channel: the channel's name.
        revisions: how often the alert has been revised.
    """
    again = f"-{revisions}" if revisions else ""
    return f"{alert_id}-{reason}-{to_micros(at)}{again}-{channel}"
