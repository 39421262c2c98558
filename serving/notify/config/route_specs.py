"""How a channels file describes teams and routes."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from serving.locales.wording import time_zone
from serving.notify.routing.hours import read_hours

Kind = Literal[
    "backlash",
    "flip",
    "slow_burn",
    "brigade",
    "praise_surge",
    "comment_flood",
    "attention_surge",
    "data_gap",
]
_LENGTH = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?")
_LONGEST = timedelta(days=7)


def listed(value: object) -> object:
    """A single text as the list of it."""
    return [value] if isinstance(value, str) else value


def _length(value: object) -> object:
    """A length of time from a text such as 15m, 2h or 1h30m."""
    match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a length of time like 15m, 2h, 1h30m or 1d")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes)
    if not timedelta() < length <= _LONGEST:
        raise ValueError("must be at least 1m and at most 7d")
    return length


Names = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
Length = Annotated[timedelta, BeforeValidator(_length)]


class TeamSpec(BaseModel):
    """A team as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: list[str] = []
    timezone: str = "UTC"
    hours: Annotated[Names, BeforeValidator(listed)] | None = None
    on_call: list[str] | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        time_zone(value)
        return value

    @field_validator("hours")
    @classmethod
    def _readable(cls, value: list[str] | None) -> list[str] | None:
        if value is not None:
            read_hours(value, time_zone("UTC"))
        return value

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "TeamSpec":
        if not self.channels:
            raise ValueError(
                "there is nowhere to send what waits for the team's hours; name its channels"
                if self.hours
                else "a team is notified on its channels; name them"
            )
        if self.on_call == []:
            raise ValueError(
                "on_call is empty, so there is nowhere to send a critical alert outside the hours; "
                "name a channel, or leave on_call out to notify the team's channels at once"
            )
        if self.on_call and self.hours is None:
            raise ValueError(
                "on_call is for alerts outside the team's hours; give hours like "
                "'Mon-Fri 08:00-19:00', or leave on_call out"
            )
        return self


class StepSpec(BaseModel):
    """A step of an escalation as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Length
    to: Names


class RouteSpec(BaseModel):
    """A route as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: Names | None = None
    teams: Names | None = None
    kols: Names | None = None
    brands: Names | None = None
    kinds: list[Kind] | None = Field(None, min_length=1)
    platforms: Names | None = None
    min_severity: Literal["info", "warning", "critical"] = "warning"
    pages_only: bool = False
    continues: bool = Field(False, alias="continue")
    escalate: list[StepSpec] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "RouteSpec":
        if self.channels is None and self.teams is None:
            raise ValueError("a route leads to channels or teams; name at least one")
        return self
