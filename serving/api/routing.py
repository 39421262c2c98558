"""GET /v1/routing and POST /v1/routing/preview: the routes, and what they would do."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from monitoring.kinds import Severity
from serving.access.scope import Scope
from serving.api.authorization import Asking, requires
from serving.api.aware_time import AwareTime
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_params import seen
from serving.api.problems import documented
from serving.errors import InvalidRequest
from serving.notify.config.route_specs import Kind
from serving.notify.config.subscription import Subscription
from serving.notify.routing.escalation import planned_steps
from serving.notify.routing.routes import Route, RouteInput
from serving.notify.routing.team import Team
from serving.notify.stages import plan
from serving.notify.stages.planning import Planning, RoutingRules
from serving.service import Running
from serving.storage.digest_record import DigestInterval

router = APIRouter(tags=["routing"], route_class=GuardedRoute)
_FARTHEST = timedelta(days=366)


class ChannelOut(BaseModel):
    """A channel. Its address is secret and not shown."""

    name: str
    type: str


class TeamOut(BaseModel):
    """A team."""

    name: str
    channels: list[str]
    timezone: str | None = Field(description="Null if the team has no working hours.")
    hours: list[str] | None = Field(description="Working hours; null for always.")
    on_call: list[str] = Field(description="Channels for critical alerts outside working hours.")
    opens_at: datetime = Field(
        description="Start of the next working hours; now if the team is at work."
    )


class StepOut(BaseModel):
    """A step of an escalation."""

    after_seconds: float = Field(description="Seconds after a page that is not acknowledged.")
    to: list[str]


class RouteOut(BaseModel):
    """A route. A matcher that is null matches everything."""

    channels: list[str]
    teams: list[str]
    kols: list[str] | None = Field(description="Including the KOLs of its brands.")
    kinds: list[str] | None
    platforms: list[str] | None
    min_severity: Severity
    pages_only: bool
    continues: bool = Field(
        alias="continue", description="Whether the next routes are evaluated after a match."
    )
    escalate: list[StepOut]


class SubscriptionOut(BaseModel):
    """A digest that is sent regularly."""

    name: str
    every: list[DigestInterval]
    at: str = Field(
        description="Local time, as written in the channels file.",
        pattern=r"^\d\d:\d\d$",
        examples=["08:00"],
    )
    timezone: str
    channels: list[str]
    kols: list[str] | None = Field(description="Null for all.")
    next_at: datetime = Field(description="Time at which the next digest is due.")


class RoutingOut(BaseModel):
    """Channels, brands, teams, routes and digests of the channels file."""

    channels: list[ChannelOut]
    brands: dict[str, list[str]]
    teams: list[TeamOut]
    routes: list[RouteOut]
    digests: list[SubscriptionOut]


class PreviewIn(BaseModel):
    """A transition to evaluate."""

    model_config = ConfigDict(extra="forbid")

    kol_id: Annotated[str, Field(min_length=1, max_length=128)]
    kind: Kind = "backlash"
    severity: Severity
    reason: Literal["opened", "escalated", "aftershock", "reopened", "resolved"] = "opened"
    platform: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Platform with most of the comments."
    )
    at: AwareTime | None = Field(
        None, description="Time of the notification, at most 366 days from now; default: now."
    )


class PlannedNotificationOut(BaseModel):
    """A channel that would be notified."""

    channel: str
    page: bool = Field(description="Whether the notification is a page.")
    not_before: datetime | None = Field(description="Earliest time of sending; null: at once.")
    why: str


class PlannedOut(BaseModel):
    """An escalation step that would follow if nobody acknowledged the alert."""

    route: int = Field(description="Number of the route, from 1.")
    step: int = Field(description="Number of the step in the route, from 1.")
    at: datetime
    channels: list[str]


class PreviewOut(BaseModel):
    """The notifications and escalations of a transition."""

    at: datetime
    plan: list[PlannedNotificationOut]
    escalations: list[PlannedOut]


@router.get(
    "/routing",
    responses=documented(503),
    dependencies=[requires(Scope.READ, every_kol=True)],
)
async def get_routing(service: Running) -> RoutingOut:
    """Get the routing configuration. You change it in the channels file."""
    found, now = service.notification_config, service.clock.now()
    return RoutingOut(
        channels=[
            ChannelOut(name=name, type=channel.spec.type)
            for name, channel in found.channels.items()
        ],
        brands={name: sorted(kols) for name, kols in found.brands.items()},
        teams=[_team(team, now) for team in found.teams.values()],
        routes=[_route(route) for route in found.routes],
        digests=[_subscription(one, now) for one in found.digests],
    )


@router.post(
    "/routing/preview",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def preview_routing(body: PreviewIn, service: Running, principal: Asking) -> PreviewOut:
    """Show which channels a transition would reach, when and why. Nothing is sent.

    Silences and earlier notifications of an alert are not taken into account.
    """
    now = service.clock.now()
    at = now if body.at is None else body.at
    if abs(at - now) > _FARTHEST:
        raise InvalidRequest(
            "invalid_range", f"at is more than {_FARTHEST.days} days from now", field="at"
        )
    routes = service.notification_config.routes
    kol_id = await seen(body.kol_id, service, principal.kols)
    route_input = RouteInput(
        kol_id,
        body.kind,
        body.severity,
        body.reason,
        body.platform,
        await service.kols.other_ids(kol_id),
    )
    planned = plan(Planning(route_input, RoutingRules(routes), at))
    return PreviewOut(
        at=at,
        plan=[
            PlannedNotificationOut(
                channel=one.channel, page=one.page, not_before=one.not_before, why=one.why
            )
            for one in planned
        ],
        escalations=[
            PlannedOut(
                route=step.place + 1, step=step.step, at=step.at, channels=list(step.channels)
            )
            for step in planned_steps(routes, route_input, planned, at)
        ],
    )


def _team(team: Team, now: datetime) -> TeamOut:
    hours = team.hours
    return TeamOut(
        name=team.name,
        channels=list(team.channels),
        timezone=None if hours is None else hours.zone.key,
        hours=None if hours is None else list(hours.written),
        on_call=list(team.on_call),
        opens_at=team.opens(now),
    )


def _route(route: Route) -> RouteOut:
    return RouteOut.model_validate(
        {
            "channels": route.channels,
            "teams": [team.name for team in route.teams],
            "kols": _sorted(route.kols),
            "kinds": _sorted(route.kinds),
            "platforms": _sorted(route.platforms),
            "min_severity": route.min_severity,
            "pages_only": route.pages_only,
            "continue": route.continues,
            "escalate": [
                {"after_seconds": step.after.total_seconds(), "to": step.to} for step in route.steps
            ],
        }
    )


def _subscription(one: Subscription, now: datetime) -> SubscriptionOut:
    return SubscriptionOut(
        name=one.name,
        every=list(one.every),
        at=f"{one.at:%H:%M}",
        timezone=one.zone.key,
        channels=list(one.channels),
        kols=_sorted(one.kols),
        next_at=one.next_at(now),
    )


def _sorted(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)
