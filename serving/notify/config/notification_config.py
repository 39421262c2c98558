"""The channels file, read and checked as a whole."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.errors import ServingError
from serving.notify.channels.registry import channel_types
from serving.notify.config.channel_reader import ChannelReader
from serving.notify.config.config_issues import ConfigIssue, ConfigIssues
from serving.notify.config.configured_channel import ConfiguredChannel
from serving.notify.config.digest_reader import Known, channels_named, read_digests
from serving.notify.config.route_reader import RouteReader
from serving.notify.config.subscription import Subscription
from serving.notify.config.toml_lines import TomlLines
from serving.notify.routing.routes import Route
from serving.notify.routing.team import Team


class InvalidConfig(ServingError):
    """The channels file cannot be used.

    Attributes:
        issues: everything that is wrong, by line.
    """

    code = "channels"

    def __init__(self, path: Path, issues: Sequence[ConfigIssue]) -> None:
        first = issues[0]
        more = f" (and {len(issues) - 1} more; 'groundswell check config' shows all)"
        super().__init__(f"{path}:{first.line}: {first.message}{more if len(issues) > 1 else ''}")
        self.issues = issues


@dataclass(frozen=True, slots=True)
class NotificationConfig:
    """Who can be notified, and who is notified of what.

    Attributes:
        channels: by name.
        routes: tried in order.
        teams: by name.
        brands: the ids of the KOLs of each.
        digests: what is sent regularly.
    """

    channels: Mapping[str, ConfiguredChannel]
    routes: tuple[Route, ...]
    teams: Mapping[str, Team]
    brands: Mapping[str, frozenset[str]]
    digests: tuple[Subscription, ...] = ()


EMPTY = NotificationConfig({}, (), {}, {})


def load(path: Path, environment: Mapping[str, str]) -> NotificationConfig:
    """Read a channels file.

    Args:
        path: a TOML file, see docs/notifications.md.
        environment: where secrets come from.

    Raises:
        InvalidConfig: with every issue.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidConfig(path, [ConfigIssue(1, f"cannot be read ({error.strerror})")]) from None
    except UnicodeDecodeError:
        raise InvalidConfig(path, [ConfigIssue(1, "is not UTF-8; save it as UTF-8")]) from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = str(error).partition("at line ")[2].partition(",")[0]
        number = int(line) if line.isdigit() else text.count("\n") + 1
        raise InvalidConfig(path, [ConfigIssue(number, f"is not TOML: {error}")]) from None
    issues = ConfigIssues(TomlLines(text))
    notification_config = _read(content, issues, environment)
    if issues.found:
        raise InvalidConfig(path, issues.found)
    return notification_config


def _read(
    content: Mapping[str, Any], issues: ConfigIssues, environment: Mapping[str, str]
) -> NotificationConfig:
    """What a file's content says; whatever is wrong goes to `issues`."""
    for key in content.keys() - {"channels", "brands", "teams", "routes", "digests"}:
        issues.add(
            (key,),
            f"unknown key {key!r}; there are [channels.NAME], [brands], [teams.NAME], "
            "[[routes]] and [digests.NAME]",
        )
    tables = content.get("channels", {})
    if not isinstance(tables, dict):
        issues.add(("channels",), "channels must be tables; write [channels.NAME]")
        tables = {}
    if not tables:
        issues.add(("channels",), "there is no channel; add one as [channels.NAME]")
    channels = ChannelReader(issues, environment).read(tables)
    routing = RouteReader(content, set(tables), issues, named=channels_named(content))
    types = {
        name: channel_types().get(str(table.get("type"))) if isinstance(table, dict) else None
        for name, table in tables.items()
    }
    known = Known(types, routing.teams, routing.brands, routing.routes)
    digests = read_digests(content, known, issues)
    return NotificationConfig(channels, routing.routes, routing.teams, routing.brands, digests)
