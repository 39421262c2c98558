"""The digests of a channels file: read, and checked as a whole."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from serving.locales.wording import time_zone
from serving.notify.channels.registry import ChannelType, channel_types
from serving.notify.config.config_issues import ConfigIssues
from serving.notify.config.names import NAME
from serving.notify.config.route_specs import Names, listed
from serving.notify.config.subscription import Subscription
from serving.notify.config.toml_lines import Path as Place
from serving.notify.routing.routes import Route
from serving.notify.routing.team import Team
from serving.storage.digest_record import DigestInterval

ChannelTypes = Mapping[str, ChannelType[Any] | None]
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _time_of_day(value: object) -> object:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a time of day like '08:00'")
    return time(int(match[1]), int(match[2]))


class DigestSpec(BaseModel):
    """A digest as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every: Annotated[list[DigestInterval], Field(min_length=1), BeforeValidator(listed)]
    at: Annotated[time, BeforeValidator(_time_of_day)] = time(8)
    team: str | None = None
    timezone: str | None = None
    channels: Names | None = None
    kols: Names | None = None
    brands: Names | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            time_zone(value)
        return value

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "DigestSpec":
        if self.team is not None and self.timezone is not None:
            raise ValueError("the team has a time zone; leave timezone out, or team")
        if self.team is None and self.channels is None:
            raise ValueError("name the channels that it is sent on, or a team that has some")
        return self


def channels_named(content: Mapping[str, Any]) -> set[str]:
    """The channels that the digests of a file name, even if the digests have issues."""
    tables = content.get("digests", {})
    lists = [
        table.get("channels")
        for table in (tables.values() if isinstance(tables, dict) else ())
        if isinstance(table, dict)
    ]
    return {name for names in lists if isinstance(names, list) for name in map(str, names)}


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of a file describes.

    Attributes:
        types: the types of the channels, by name; None where the type is unknown.
        teams: by name.
        brands: the ids of the KOLs of each.
        routes: all of them.
    """

    types: ChannelTypes
    teams: Mapping[str, Team]
    brands: Mapping[str, frozenset[str]]
    routes: Sequence[Route]


def read_digests(
    content: Mapping[str, Any], known: Known, issues: ConfigIssues
) -> tuple[Subscription, ...]:
    """The digests of a file; what is wrong goes to `issues`.

    Args:
        content: of the file.
        known: what the rest of it describes.
        issues: where to report what is wrong.
    """
    tables = content.get("digests", {})
    if not isinstance(tables, dict):
        issues.add(("digests",), "digests must be tables; write [digests.NAME]")
        return ()
    read = (_digest(name, table, known, issues) for name, table in tables.items())
    return tuple(digest for digest in read if digest is not None)


def _digest(name: str, table: object, known: Known, issues: ConfigIssues) -> Subscription | None:
    place: Place = ("digests", name)
    if not re.fullmatch(NAME, name):
        issues.add(place, f"digest name {name!r}: use a-z, 0-9, - and _, at most 63")
    if not isinstance(table, dict):
        issues.add(place, f"digest {name!r} must be a table; write [digests.{name}]")
        return None
    try:
        spec = DigestSpec.model_validate(table)
    except ValidationError as error:
        issues.invalid(place, error)
        return None
    for brand in spec.brands or ():
        if brand not in known.brands:
            issues.unknown((*place, "brands"), "brand", brand, known.brands)
    if spec.team is not None and spec.team not in known.teams:
        issues.unknown((*place, "team"), "team", spec.team, known.teams)
        return None
    team = None if spec.team is None else known.teams[spec.team]
    return Subscription(
        name=name,
        every=tuple(dict.fromkeys(spec.every)),
        at=spec.at,
        zone=team.zone if team is not None else time_zone(spec.timezone or "UTC"),
        channels=_channels(place, spec, team, known.types, issues),
        kols=_kols(spec, team, known),
    )


def _channels(
    place: Place,
    spec: DigestSpec,
    team: Team | None,
    types: ChannelTypes,
    issues: ConfigIssues,
) -> tuple[str, ...]:
    """The channels that it is sent on; not every type of channel takes digests."""
    suitable = " or ".join(one.name for one in channel_types().values() if one.takes_digests)
    for name in spec.channels or ():
        if name not in types:
            issues.unknown((*place, "channels"), "channel", name, types)
        elif (channel_type := types[name]) is not None and not channel_type.takes_digests:
            issues.add(
                (*place, "channels"),
                f"channel {name!r} is of type {channel_type.name}, which takes no digests; name "
                f"a channel of type {suitable}",
            )
    if spec.channels is not None:
        return tuple(dict.fromkeys(spec.channels))
    wanted = () if team is None else team.channels
    found = tuple(
        name for name in wanted if (one := types.get(name)) is not None and one.takes_digests
    )
    if not found:
        issues.add(
            (*place, "team"),
            f"team {spec.team!r} has no channel of type {suitable}; add one to its channels",
        )
    return found


def _kols(spec: DigestSpec, team: Team | None, known: Known) -> frozenset[str] | None:
    """The KOLs it is about: those it names, else those whose routes lead to its team, else all."""
    if spec.kols is not None or spec.brands is not None:
        of_brands = (known.brands.get(name, frozenset()) for name in spec.brands or ())
        return frozenset(spec.kols or ()).union(*of_brands)
    if team is None:
        return None
    return _led_to(team, known.routes)


def _led_to(team: Team, routes: Collection[Route]) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for route in routes:
        if team in route.teams:
            if route.kols is None:
                return None
            found |= route.kols
    return found
