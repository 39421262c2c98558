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
from serving.notify.config.faults import Faults
from serving.notify.config.route_specs import Names, listed
from serving.notify.config.specs import NAME
from serving.notify.config.subscription import Subscription
from serving.notify.config.toml_lines import Path as Place
from serving.notify.routing.routes import Route
from serving.notify.routing.team import Team
from serving.storage.digest_record import Every

_EMAIL = "email"
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _time_of_day(value: object) -> object:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a time of day like '08:00'")
    return time(int(match[1]), int(match[2]))


class DigestSpec(BaseModel):
    """A digest as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    every: Annotated[list[Every], Field(min_length=1), BeforeValidator(listed)]
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
            raise ValueError("name the e-mail channels that it goes to, or a team that has some")
        return self


def channels_named(content: Mapping[str, Any]) -> set[str]:
    """The channels that the digests of a file name, whatever else is wrong with them."""
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
        types: of the channels, by name.
        teams: by name.
        brands: the ids of the KOLs of each.
        routes: all of them.
    """

    types: Mapping[str, str]
    teams: Mapping[str, Team]
    brands: Mapping[str, frozenset[str]]
    routes: Sequence[Route]


def read_digests(
    content: Mapping[str, Any], known: Known, faults: Faults
) -> tuple[Subscription, ...]:
    """The digests of a file; what is wrong goes to `faults`.

    Args:
        content: of the file.
        known: what the rest of it describes.
        faults: where to put what is wrong.
    """
    tables = content.get("digests", {})
    if not isinstance(tables, dict):
        faults.add(("digests",), "digests must be tables; write [digests.NAME]")
        return ()
    read = (_digest(name, table, known, faults) for name, table in tables.items())
    return tuple(digest for digest in read if digest is not None)


def _digest(name: str, table: object, known: Known, faults: Faults) -> Subscription | None:
    place: Place = ("digests", name)
    if not re.fullmatch(NAME, name):
        faults.add(place, f"digest name {name!r}: use a-z, 0-9, - and _, at most 63")
    if not isinstance(table, dict):
        faults.add(place, f"digest {name!r} must be a table; write [digests.{name}]")
        return None
    try:
        spec = DigestSpec.model_validate(table)
    except ValidationError as error:
        faults.invalid(place, error)
        return None
    for brand in spec.brands or ():
        if brand not in known.brands:
            faults.unknown((*place, "brands"), "brand", brand, known.brands)
    if spec.team is not None and spec.team not in known.teams:
        faults.unknown((*place, "team"), "team", spec.team, known.teams)
        return None
    team = None if spec.team is None else known.teams[spec.team]
    return Subscription(
        name=name,
        every=tuple(dict.fromkeys(spec.every)),
        at=spec.at,
        zone=team.zone if team is not None else time_zone(spec.timezone or "UTC"),
        channels=_channels(place, spec, team, known.types, faults),
        kols=_kols(spec, team, known),
    )


def _channels(
    place: Place, spec: DigestSpec, team: Team | None, types: Mapping[str, str], faults: Faults
) -> tuple[str, ...]:
    """Where it goes; a digest goes by e-mail only."""
    for name in spec.channels or ():
        if name not in types:
            faults.unknown((*place, "channels"), "channel", name, types)
        elif types[name] != _EMAIL:
            faults.add(
                (*place, "channels"),
                f"channel {name!r} is of type {types[name]}, and a digest goes by e-mail; name "
                "a channel of type email",
            )
    if spec.channels is not None:
        return tuple(dict.fromkeys(spec.channels))
    wanted = () if team is None else team.channels
    found = tuple(name for name in wanted if types.get(name) == _EMAIL)
    if not found:
        faults.add(
            (*place, "team"),
            f"team {spec.team!r} has no channel of type email; name e-mail channels for the "
            "digest in its channels",
        )
    return found


def _kols(spec: DigestSpec, team: Team | None, known: Known) -> frozenset[str] | None:
    """Whom it is about: those that it names, else those that routes lead to its team, else all."""
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
