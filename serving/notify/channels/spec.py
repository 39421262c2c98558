"""The settings that every channel of a channels file has."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from serving.addresses import is_loopback
from serving.locales.wording import Wording, wording
from serving.outgoing.address_rules import AddressRules, literal

EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
MIN_SECRET = 16  # characters


class ChannelSpec(BaseModel):
    """A channel as written in the file; a type of channel adds its own settings and checks.

    A `type` is a `Literal` in the class of a type of channel.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    url: str | None = Field(None, min_length=1, repr=False)
    url_env: EnvName | None = None
    allow_private: bool = False
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

    @property
    def secret_variable(self) -> str | None:
        """The environment variable of its secret, set by `secret_env`; None if it has none."""
        return None

    @property
    def other_variables(self) -> Mapping[str, str]:
        """The environment variables of further secrets, by the setting that names each."""
        return {}

    def rules(self, url: str) -> AddressRules:
        """Which addresses its channel may connect to: what the file says, and what the URL says."""
        return AddressRules(loopback=is_loopback(host_of(url)), private=self.allow_private)

    def check_address(self, url: str) -> None:
        """Check that the address in the URL, if it is one, may be connected to.

        Raises:
            ValueError: it may not, and what to do.
        """
        address = literal(host_of(url))
        if address is None or self.rules(url).allow(address):
            return
        if AddressRules(private=True).allow(address):
            raise ValueError(
                "the URL has a private address; allow that with 'allow_private = true' if it is "
                "right"
            )
        raise ValueError("the URL has an address that is never connected to; name the server")

    def check_url(self, url: str) -> None:
        """Check the URL: https, or http on this machine.

        Raises:
            ValueError: what is wrong with it, without repeating it: URLs hold secrets.
        """
        check_http_url(url)

    def check_secret(self, secret: str) -> None:
        """Check the secret.

        Raises:
            ValueError: what is wrong with it, without repeating it.
        """
        if len(secret) < MIN_SECRET:
            raise ValueError(
                f"the secret in {self.secret_variable} is shorter than {MIN_SECRET} characters; "
                "take a random one, for example from 'openssl rand -hex 32'"
            )

    def check_other_secret(self, setting: str, secret: str) -> None:
        """Check one of the further secrets, by the setting that names its variable.

        Raises:
            ValueError: what is wrong with it, without repeating it.
        """


def host_of(url: str) -> str:
    """The host of a URL of any scheme; empty if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def check_http_url(url: str, *, allow_http: bool | None = None) -> None:
    """Check the URL of an HTTP server.

    Args:
        url: of the server.
        allow_http: whether the file allows http:// past this machine; None if it cannot.

    Raises:
        ValueError: what is wrong with it, without repeating it.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError("the URL cannot be read; write it like https://host/path") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError("the URL must begin with https:// and name a host")
    if parsed.scheme == "http" and not (is_loopback(parsed.host) or allow_http):
        instead = "" if allow_http is None else ", or accept that with 'allow_http = true'"
        raise ValueError(
            f"http:// sends alerts unencrypted past this machine; use https://{instead}"
        )
