"""The channels of a channels file: each read and checked as its type says."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import ValidationError

from serving.notify.channels.registry import channel_types
from serving.notify.channels.spec import ChannelSpec
from serving.notify.config.config_issues import ConfigIssues
from serving.notify.config.configured_channel import ConfiguredChannel
from serving.notify.config.names import NAME
from serving.notify.config.toml_lines import Path as Place


class ChannelReader:
    """Reads the tables of channels; what is wrong goes to `issues`."""

    def __init__(self, issues: ConfigIssues, environment: Mapping[str, str]) -> None:
        """Prepare.

        Args:
            issues: where to report what is wrong.
            environment: where URLs and secrets come from.
        """
        self._issues = issues
        self._environment = environment
        self._types = channel_types()

    def read(self, tables: Mapping[str, object]) -> dict[str, ConfiguredChannel]:
        """The channels by name, without those that cannot be read."""
        read = {name: self._channel(name, table) for name, table in tables.items()}
        return {name: channel for name, channel in read.items() if channel is not None}

    def _channel(self, name: str, table: object) -> ConfiguredChannel | None:
        place: Place = ("channels", name)
        if not re.fullmatch(NAME, name):
            self._issues.add(place, f"channel name {name!r}: use a-z, 0-9, - and _, at most 63")
        if not isinstance(table, dict):
            self._issues.add(place, f"channel {name!r} must be a table; write [channels.{name}]")
            return None
        channel_type = self._types.get(str(table.get("type")))
        if channel_type is None:
            self._issues.add(
                (*place, "type"), f"channel {name!r}: type must be one of {', '.join(self._types)}"
            )
            return None
        try:
            spec = channel_type.spec.model_validate(table)
        except ValidationError as error:
            self._issues.invalid(place, error)
            return None
        url, url_place = spec.url or "", (*place, "url")
        if spec.url_env is not None:
            url, url_place = self._variable((*place, "url_env"), spec.url_env), (*place, "url_env")
        self._check(url_place, url, spec.check_url)
        self._check(url_place, url, spec.check_address)
        secret, secret_place = "", (*place, "secret_env")
        if spec.secret_variable is not None:
            secret = self._variable(secret_place, spec.secret_variable)
            self._check(secret_place, secret, spec.check_secret)
        return ConfiguredChannel(channel_type, spec, url, secret, self._others(place, spec))

    def _others(self, place: Place, spec: ChannelSpec) -> dict[str, str]:
        """The further secrets of a channel, by the setting that names each."""
        found = {}
        for setting, variable in spec.other_variables.items():
            found[setting] = self._variable((*place, setting), variable)
            self._check(
                (*place, setting), found[setting], partial(spec.check_other_secret, setting)
            )
        return found

    def _variable(self, place: Place, name: str) -> str:
        """The value of an environment variable; empty if it has none."""
        value = self._environment.get(name, "")
        if not value:
            self._issues.add(
                place, f"the environment variable {name} is not set; set it, or name another"
            )
        return value

    def _check(self, place: Place, value: str, check: Callable[[str], Any]) -> None:
        if not value:
            return
        try:
            check(value)
        except ValueError as error:
            self._issues.add(place, str(error))
