"""Who is told of what: the routes as they stand, and what they would do."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from monitoring.kinds import Severity
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
from serving.storage.digest_record import Every

router = APIRouter(tags=["routing"])
_FARTHEST = timedelta(days=366)


class ChannelOut(BaseModel):
    """A channel; its address is a secret."""

    name: str
    type: str


class TeamOut(BaseModel):
    """A team."""

    name: str
    channels: list[str]
    timezone: str | None = Field(description="Null where it has no hours.")
    hours: list[str] | None = Field(description="When it is at work; null for always.")
    on_call: list[str] = Field(description="Told of what is critical outside the hours.")
    opens_at: datetime = Field(description="When it is at work next; now where it is.")


class StepOut(BaseModel):
    """A step of an escalation."""

    after_seconds: float = Field(description="So long after a page that nobody acknowledged.")
    to: list[str]


class RouteOut(BaseModel):
    """A route; null takes everything."""

    channels: list[str]
    teams: list[str]
    kols: list[str] | None = Field(description="With those of the brands that it names.")
    kinds: list[str] | None
    platforms: list[str] | None
    min_severity: Severity
    pages_only: bool
    continues: bool = Field(
        alias="continue", description="Whether the routes after it see what it took."
    )
    escalate: list[StepOut]


class SubscriptionOut(BaseModel):
    """A digest that is sent regularly."""

    name: str
    every: list[Every]
    at: str = Field(
        description="By the clock on the wall, as the file has it.",
        pattern=r"^\d\d:\d\d$",
        examples=["08:00"],
    )
    timezone: str
    channels: list[str]
    kols: list[str] | None = Field(description="Null for all.")
    next_at: datetime = Field(description="When the next one is due.")


class RoutingOut(BaseModel):
    """Channels, brands, teams, routes and digests, as the channels file has them."""

    channels: list[ChannelOut]
    brands: dict[str, list[str]]
    teams: list[TeamOut]
    routes: list[RouteOut]
    digests: list[SubscriptionOut]


class PreviewIn(BaseModel):
    """A transition to try."""

    model_config = ConfigDict(extra="forbid")

    kol_id: Annotated[str, Field(min_length=1, max_length=128)]
    kind: Kind = "backlash"
    severity: Severity
    reason: Literal["opened", "escalated", "aftershock", "reopened", "resolved"] = "opened"
    platform: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="On which most of the comments were written."
    )
    at: AwareDatetime | None = Field(
        None, description="When it is told; now if unset, at most 366 days from now."
    )


class PlannedNotificationOut(BaseModel):
    """A channel that would be told."""

    channel: str
    page: bool = Field(description="Whether it is to call somebody.")
    not_before: datetime | None = Field(description="Until when it waits; null for at once.")
    why: str


class PlannedOut(BaseModel):
    """A step that would follow if nobody acknowledged it."""

    route: int = Field(description="Which, from 1.")
    step: int = Field(description="Which, from 1.")
    at: datetime
    channels: list[str]


class PreviewOut(BaseModel):
    """What would become of a transition."""

    at: datetime
    plan: list[PlannedNotificationOut]
    escalations: list[PlannedOut]


@router.get("/routing", responses=documented(503))
async def get_routing(service: Running) -> RoutingOut:
    """The routes as they stand. They are changed in the channels file."""
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


@router.post("/routing/preview", responses=documented(400, 422, 503))
async def preview_routing(body: PreviewIn, service: Running) -> PreviewOut:
    """Which channels a transition would reach, when and why. Nobody is told.

    What is muted is not looked at, nor who was told of the alert before.
    """
    now = service.clock.now()
    at = now if body.at is None else body.at
    if abs(at - now) > _FARTHEST:
        raise InvalidRequest(
            "invalid_range", f"at lies more than {_FARTHEST.days} days from now", field="at"
        )
    routes = service.notification_config.routes
    route_input = RouteInput(body.kol_id, body.kind, body.severity, body.reason, body.platform)
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
