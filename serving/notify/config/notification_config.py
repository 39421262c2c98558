"""The channels file: read, checked as a whole, and built."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from serving.addresses import is_loopback
from serving.clock import Clock
from serving.errors import ServingError
from serving.notify.attachments import Attachments
from serving.notify.channels import apprise as apprise_channel
from serving.notify.channels.alertmanager import Alertmanager
from serving.notify.channels.apprise import AppriseChannel
from serving.notify.channels.base import Channel
from serving.notify.channels.chat_webhook import slack_webhook, teams_webhook
from serving.notify.channels.email import SmtpChannel, server_of
from serving.notify.channels.webhook import Webhook
from serving.notify.config.digest_reader import Known, channels_named, read_digests
from serving.notify.config.faults import Fault, Faults
from serving.notify.config.route_reader import RouteReader
from serving.notify.config.specs import (
    NAME,
    TYPES,
    AlertmanagerSpec,
    AppriseSpec,
    ChannelSpec,
    EmailSpec,
    SlackSpec,
    TeamsSpec,
    WebhookSpec,
)
from serving.notify.config.subscription import Subscription
from serving.notify.config.toml_lines import Path as Place
from serving.notify.config.toml_lines import TomlLines
from serving.notify.routing.routes import Route
from serving.notify.routing.team import Team

_SHORTEST_SECRET = 16


class FaultyChannels(ServingError):
    """The channels file cannot be used.

    Attributes:
        faults: all that is wrong, by line.
    """

    code = "channels"

    def __init__(self, path: Path, faults: Sequence[Fault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more; 'groundswell check config' shows all)"
        super().__init__(f"{path}:{first.line}: {first.message}{more if len(faults) > 1 else ''}")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Resolved:
    """A channel as configured, with its secrets.

    Attributes:
        spec: as the file has it.
        url: where to.
        secret: to sign with; empty where nothing is signed.
    """

    spec: ChannelSpec
    url: str
    secret: str

    def build(self, http: httpx.AsyncClient, clock: Clock, attachments: Attachments) -> Channel:
        """The channel itself."""
        spec, interval, words = self.spec, self.spec.interval, self.spec.wording
        match spec:
            case WebhookSpec():
                return Webhook(http, self.url, self.secret, clock, interval, words)
            case AlertmanagerSpec():
                return Alertmanager(http, self.url, interval, words)
            case SlackSpec():
                return slack_webhook(http, self.url, interval, words)
            case TeamsSpec():
                return teams_webhook(http, self.url, interval, words)
            case EmailSpec():
                return SmtpChannel(
                    server_of(self.url, allow_plain=spec.allow_plain),
                    sender=spec.sender,
                    to=spec.to,
                    clock=clock,
                    attachments=attachments,
                    words=words,
                    interval=interval,
                )
            case _:
                return AppriseChannel(self.url, interval, words, attachments)


@dataclass(frozen=True, slots=True)
class NotificationConfig:
    """Everybody who can be told, and who is told of what.

    Attributes:
        channels: by name.
        routes: tried in order.
        teams: by name.
        brands: the ids of the KOLs of each.
        digests: what is sent regularly.
    """

    channels: Mapping[str, Resolved]
    routes: tuple[Route, ...]
    teams: Mapping[str, Team]
    brands: Mapping[str, frozenset[str]]
    digests: tuple[Subscription, ...] = ()


EMPTY = NotificationConfig({}, (), {}, {})


def load(path: Path, environment: Mapping[str, str]) -> NotificationConfig:
    """Read a channels file.

    Args:
        path: a TOML file, see docs/notifications.md.
        environment: where secrets are taken from.

    Raises:
        FaultyChannels: with every fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FaultyChannels(path, [Fault(1, f"cannot be read ({error.strerror})")]) from None
    except UnicodeDecodeError:
        raise FaultyChannels(path, [Fault(1, "is not UTF-8; save it as UTF-8")]) from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = str(error).partition("at line ")[2].partition(",")[0]
        number = int(line) if line.isdigit() else text.count("\n") + 1
        raise FaultyChannels(path, [Fault(number, f"is not TOML: {error}")]) from None
    faults = Faults(TomlLines(text))
    notification_config = _Reader(content, faults, environment).read()
    if faults.found:
        raise FaultyChannels(path, faults.found)
    return notification_config


class _Reader:
    """Goes through a file's content and gathers every fault."""

    def __init__(
        self, content: Mapping[str, Any], faults: Faults, environment: Mapping[str, str]
    ) -> None:
        self._content = content
        self._faults = faults
        self._environment = environment

    def read(self) -> NotificationConfig:
        for key in self._content.keys() - {"channels", "brands", "teams", "routes", "digests"}:
            self._faults.add(
                (key,),
                f"unknown key {key!r}; there are [channels.NAME], [brands], [teams.NAME], "
                "[[routes]] and [digests.NAME]",
            )
        tables = self._content.get("channels", {})
        if not isinstance(tables, dict):
            self._faults.add(("channels",), "channels must be tables; write [channels.NAME]")
            tables = {}
        if not tables:
            self._faults.add(("channels",), "there is no channel; add one as [channels.NAME]")
        read = {name: self._channel(name, table) for name, table in tables.items()}
        channels = {name: channel for name, channel in read.items() if channel is not None}
        named = channels_named(self._content)
        found = RouteReader(self._content, set(tables), self._faults, named=named)
        types = {
            name: str(table.get("type"))
            for name, table in tables.items()
            if isinstance(table, dict)
        }
        known = Known(types, found.teams, found.brands, found.routes)
        digests = read_digests(self._content, known, self._faults)
        return NotificationConfig(channels, found.routes, found.teams, found.brands, digests)

    def _channel(self, name: str, table: object) -> Resolved | None:
        import re

        place: Place = ("channels", name)
        if not re.fullmatch(NAME, name):
            self._faults.add(place, f"channel name {name!r}: use a-z, 0-9, - and _, at most 63")
        if not isinstance(table, dict):
            self._faults.add(place, f"channel {name!r} must be a table; write [channels.{name}]")
            return None
        kind = TYPES.get(str(table.get("type")))
        if kind is None:
            self._faults.add(
                (*place, "type"), f"channel {name!r}: type must be one of {', '.join(TYPES)}"
            )
            return None
        try:
            spec = kind.model_validate(table)
        except ValidationError as error:
            self._faults.invalid(place, error)
            return None
        url = spec.url or self._from_environment((*place, "url_env"), spec.url_env)
        secret = ""
        if isinstance(spec, WebhookSpec):
            secret = self._from_environment((*place, "secret_env"), spec.secret_env)
            if secret and len(secret) < _SHORTEST_SECRET:
                self._faults.add(
                    (*place, "secret_env"),
                    f"the secret in {spec.secret_env} is shorter than {_SHORTEST_SECRET} "
                    "characters; take a random one, for example from 'openssl rand -hex 32'",
                )
        if url and (said := _url_fault(spec, url)):
            self._faults.add((*place, "url" if spec.url else "url_env"), said)
        return Resolved(spec, url, secret)

    def _from_environment(self, place: Place, name: str | None) -> str:
        value = self._environment.get(name or "", "")
        if not value:
            self._faults.add(
                place, f"the environment variable {name} is not set; set it, or name another"
            )
        return value


def _url_fault(spec: ChannelSpec, url: str) -> str | None:
    """What is wrong with a channel's URL; never repeats it, for URLs hold secrets."""
    if isinstance(spec, AppriseSpec):
        return apprise_channel.fault_of(url)
    if isinstance(spec, EmailSpec):
        try:
            server_of(url, allow_plain=spec.allow_plain)
        except ValueError as error:
            return str(error)
        return None
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "the URL cannot be read; write it like https://host/path"
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        return "the URL must begin with https:// and name a host"
    allowed = isinstance(spec, WebhookSpec | AlertmanagerSpec) and spec.allow_http
    if parsed.scheme == "http" and not (is_loopback(parsed.host) or allowed):
        return (
            "http:// sends alerts unencrypted past this machine; use https://, "
            "or accept that with 'allow_http = true'"
        )
    return None
