"""Who is notified of what."""

from datetime import datetime

from groundswell_client.record import Record


class ChannelInfo(Record, frozen=True, kw_only=True):
    """A channel; its address is a secret."""

    name: str
    type: str


class TeamInfo(Record, frozen=True, kw_only=True):
    """A team.

    Attributes:
        hours: working hours; None for always.
        on_call: channels for what is critical outside the hours.
        opens_at: when its next working hours begin; now during them.
    """

    name: str
    channels: tuple[str, ...]
    timezone: str | None
    hours: tuple[str, ...] | None
    on_call: tuple[str, ...]
    opens_at: datetime


class EscalationStepInfo(Record, frozen=True, kw_only=True):
    """A step of an escalation, so long after a page that nobody acknowledged."""

    after_seconds: float
    to: tuple[str, ...]


class RouteInfo(Record, frozen=True, kw_only=True, rename={"continue_": "continue"}):
    """A route; None matches everything.

    Attributes:
        continue_: whether later routes see what this one took; "continue" in the JSON.
    """

    channels: tuple[str, ...]
    teams: tuple[str, ...]
    kols: tuple[str, ...] | None
    kinds: tuple[str, ...] | None
    platforms: tuple[str, ...] | None
    min_severity: str
    pages_only: bool
    continue_: bool
    escalate: tuple[EscalationStepInfo, ...]


class DigestSubscriptionInfo(Record, frozen=True, kw_only=True):
    """A digest that is sent regularly.

    Attributes:
        at: time of day in `timezone`, for example "08:00".
        kols: None for all.
    """

    name: str
    every: tuple[str, ...]
    at: str
    timezone: str
    channels: tuple[str, ...]
    kols: tuple[str, ...] | None
    next_at: datetime


class RoutingInfo(Record, frozen=True, kw_only=True):
    """Channels, brands, teams, routes and digests, as the channels file has them."""

    channels: tuple[ChannelInfo, ...]
    brands: dict[str, tuple[str, ...]]
    teams: tuple[TeamInfo, ...]
    routes: tuple[RouteInfo, ...]
    digests: tuple[DigestSubscriptionInfo, ...]
