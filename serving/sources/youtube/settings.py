"""The settings of a YouTube source."""

import re

from pydantic import Field, field_validator, model_validator

from serving.sources.spec import ADVANCED, Secret, SourceSpec

_CHANNEL_ID = re.compile(r"UC[\w-]{22}")
_IN_URL = re.compile(r"(?:https?://)?(?:www\.|m\.)?youtube\.com/(?:channel/)?(@?[^/?#]+)")
DAY_UNITS = 10_000


class YouTubeSpec(SourceSpec):
    """One channel, and how to ask for it."""

    channel: str = Field(
        title="Channel",
        description="The KOL's channel: its handle such as @lena-park, its id that begins with UC,"
        " or its address on youtube.com.",
        min_length=2,
        max_length=200,
    )
    api_key: Secret | None = Field(
        None,
        title="API key",
        description="A key of your Google Cloud project: in the console under APIs and services,"
        " Credentials. Leave it out if you enter a refresh token.",
    )
    client_id: str | None = Field(
        None,
        title="OAuth client id",
        description="Only with OAuth: the id of your client, which ends with"
        " apps.googleusercontent.com.",
        max_length=300,
    )
    client_secret: Secret | None = Field(
        None,
        title="OAuth client secret",
        description="Only with OAuth: the secret beside the client's id in the console.",
    )
    refresh_token: Secret | None = Field(
        None,
        title="OAuth refresh token",
        description="Only with OAuth: what Google gave out when the channel's owner allowed the"
        " access.",
    )
    live_chat: bool = Field(
        True,
        title="Live chat",
        description="Whether to read live chats too; each request costs 5 units of quota, about"
        " 900 units an hour.",
    )
    units_a_day: int = Field(
        DAY_UNITS,
        title="Units a day",
        description="How many units of quota this source may spend a day; less than 10,000 if"
        " several sources share a Google Cloud project.",
        ge=500,
        le=100_000_000,
    )
    api_url: str = Field(
        "https://www.googleapis.com/youtube/v3",
        title="Address of the API",
        description="Where the YouTube Data API answers.",
        json_schema_extra=ADVANCED,
    )
    token_url: str = Field(
        "https://oauth2.googleapis.com/token",
        title="Address for tokens",
        description="Where Google gives out access tokens.",
        json_schema_extra=ADVANCED,
    )

    @field_validator("channel")
    @classmethod
    def _channel_of(cls, value: str) -> str:
        found = _IN_URL.fullmatch(value.rstrip("/"))
        name = found[1] if found else value
        if "/" in name or any(char.isspace() for char in name):
            raise ValueError("enter a handle such as @lena-park, or a channel id (UC…)")
        return name if _CHANNEL_ID.fullmatch(name) or name.startswith("@") else f"@{name}"

    @model_validator(mode="after")
    def _one_way_in(self) -> "YouTubeSpec":
        oauth = (self.client_id, self.client_secret, self.refresh_token)
        if any(oauth) and not all(oauth):
            raise ValueError("OAuth needs client_id, client_secret and refresh_token together")
        if self.api_key is None and not all(oauth):
            raise ValueError("enter an api_key, or client_id, client_secret and refresh_token")
        return self


def channel_filter(channel: str) -> dict[str, str]:
    """The parameter that asks for a channel by its id or its handle."""
    return {"id" if _CHANNEL_ID.fullmatch(channel) else "forHandle": channel}
