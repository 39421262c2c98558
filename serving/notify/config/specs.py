"""How a channels file describes channels and routes."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from serving.locales.wording import Wording, wording

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
Kind = Literal[
    "backlash", "flip", "slow_burn", "brigade", "praise_surge", "comment_flood", "data_gap"
]
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Address = Annotated[str, Field(pattern=r"^[^@\s<>,;\"]+@[^@\s<>,;\"]+$", max_length=254)]


class ChannelSpec(BaseModel):
    """What every channel says of itself.

    Attributes:
        stateful_receivers: whether a system behind it keeps alerts open until it is told of
            their end.
    """

    stateful_receivers: ClassVar[bool] = False
    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    url: str | None = Field(None, min_length=1)
    url_env: EnvName | None = None
    per_minute: float = Field(30, gt=0, le=600)
    language: str = "en"
    timezone: str = "UTC"

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        wording(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        wording(timezone=value)
        return value

    @model_validator(mode="after")
    def _one_url(self) -> "ChannelSpec":
        if (self.url is None) == (self.url_env is None):
            raise ValueError(
                "give either url, or url_env with the environment variable that has it"
            )
        return self

    @property
    def interval(self) -> timedelta:
        """Least time between two messages."""
        return timedelta(minutes=1 / self.per_minute)

    @property
    def wording(self) -> Wording:
        """The language and time zone of its messages."""
        return wording(self.language, self.timezone)


class WebhookSpec(ChannelSpec):
    """Signed JSON over HTTP."""

    stateful_receivers: ClassVar[bool] = True
    type: Literal["webhook"]
    secret_env: EnvName
    allow_http: bool = False


class AlertmanagerSpec(ChannelSpec):
    """Prometheus Alertmanager, its address without a path below it."""

    stateful_receivers: ClassVar[bool] = True
    type: Literal["alertmanager"]
    allow_http: bool = False


class AppriseSpec(ChannelSpec):
    """Whatever apprise reaches."""

    type: Literal["apprise"]


class SlackSpec(ChannelSpec):
    """An incoming webhook of Slack."""

    type: Literal["slack"]


class TeamsSpec(ChannelSpec):
    """A workflow of Microsoft Teams that is triggered by a webhook."""

    type: Literal["teams"]


class EmailSpec(ChannelSpec):
    """A mail server, and whom it is to write to."""

    type: Literal["email"]
    sender: Address = Field(alias="from")
    to: list[Address] = Field(min_length=1, max_length=50)
    allow_plain: bool = False


TYPES: dict[str, type[ChannelSpec]] = {
    "alertmanager": AlertmanagerSpec,
    "apprise": AppriseSpec,
    "email": EmailSpec,
    "slack": SlackSpec,
    "teams": TeamsSpec,
    "webhook": WebhookSpec,
}
