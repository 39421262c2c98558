"""The record that the planning stages hand on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitoring.alerts import AlertEvent
from monitoring.kinds import AlertState
from serving.notify.planned_notification import PlannedNotification
from serving.notify.routing.routes import Route, RouteInput
from serving.notify.routing.team import Team
from serving.storage.event_context import EventContext


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
class RoutingRules:
    """What the channels file and the settings say of routing.

    Attributes:
        routes: tried in order.
        stateful_receivers: the channels whose receivers keep an alert open until they get its end.
        max_age: nobody is notified of an event that is older, in event time; None for no bound.
        late_page_within: nobody is notified of an incident found late that had ended longer before;
            None for no bound.
    """

    routes: Sequence[Route]
    stateful_receivers: Collection[str] = frozenset()
    max_age: timedelta | None = None
    late_page_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Planning:
    """An alert event on its way into the outbox. Each stage decides more of it.

    Attributes:
        route_input: what routes look at.
        rules: which channels are notified of what.
        now: the instant.
        event: the event; None for a preview, which nothing mutes.
        context: what was known of its alert.
        rebuilt: whether it comes from comments that had been processed before a rebuild.
        state: of the alert after the event.
        ended_at: event time at which the incident ended; None while it lasts.
        candidates: the channels that routes lead to; set by `route`, `deduplicate` and `mute`.
        planned: who is notified, and when; set by `schedule`.
    """

    route_input: RouteInput
    rules: RoutingRules
    now: datetime
    event: AlertEvent | None = None
    context: EventContext = field(default_factory=EventContext)
    rebuilt: bool = False
    state: AlertState = AlertState.OPEN
    ended_at: datetime | None = None
    candidates: tuple[Candidate, ...] = ()
    planned: tuple[PlannedNotification, ...] = ()
