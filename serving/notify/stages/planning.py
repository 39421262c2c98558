"""The record that the planning stages hand on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from serving.notify.planned_notification import PlannedNotification
from serving.notify.routing.routes import Route, RouteInput
from serving.notify.routing.team import Team


@dataclass(frozen=True, slots=True)
class Candidate:
    """A channel that a route leads to; the hours of the teams decide whether and when.

    Attributes:
        channel: its name.
        page: whether the event is to call somebody.
        place: of the route; None if it is notified of the end of an alert it was notified of.
        team: the team that the channel belongs to; None if the route names the channel itself.
        on_call: whether it is the channel of those who are on call outside the team's hours.
        skipped: why it is not to be notified; None if it is.
    """

    channel: str
    page: bool
    place: int | None
    team: Team | None = None
    on_call: bool = False
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Planning:
    """An alert event on its way into the outbox. Each stage decides more of it.

    Attributes:
        event: what routes look at.
        routes: tried in order.
        now: the instant.
        age: how long ago the event happened, in event time.
        max_age: nobody is notified of an event that is older; None for no bound.
        rebuilt: whether it comes from comments that had been processed before a rebuild.
        muted: why nobody is notified of the alert now; None if people are.
        notified: the channels that were notified of the alert before.
        stateful_receivers: the channels whose receivers keep an alert open until they get its end.
        candidates: the channels that routes lead to; set by `route`, and by `mute`.
        planned: who is notified, and when; set by `schedule`.
    """

    event: RouteInput
    routes: Sequence[Route]
    now: datetime
    age: timedelta = timedelta()
    max_age: timedelta | None = None
    rebuilt: bool = False
    muted: str | None = None
    notified: Collection[str] = ()
    stateful_receivers: Collection[str] = ()
    candidates: tuple[Candidate, ...] = ()
    planned: tuple[PlannedNotification, ...] = ()
