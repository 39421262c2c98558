"""The types of channel there are. Each module of this folder registers its own.

To add a type, add a module here that calls `register`. Nothing else names it.
"""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import httpx

from serving.clock import Clock
from serving.notify.attachments import Attachments
from serving.notify.channels.base import Channel
from serving.notify.channels.spec import ChannelSpec
from serving.outgoing.address_rules import AddressRules

S = TypeVar("S", bound=ChannelSpec)


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """The parts of the service that channels use.

    Attributes:
        http: the channel's client for requests; it connects to what `rules` allow.
        rules: which addresses the channel may connect to.
        clock: for times in messages.
        attachments: the charts of alerts.
    """

    http: httpx.AsyncClient
    rules: AddressRules
    clock: Clock
    attachments: Attachments


@dataclass(frozen=True, slots=True)
class ChannelType(Generic[S]):
    """A type of channel.

    Attributes:
        name: the value of `type` in the channels file.
        spec: its settings and their checks.
        build: makes a channel from its settings, URL, secret (empty if it has none) and context.
            Libraries that take long to import are imported here or later.
        example: settings of a working channel, beside `type`; for the documentation and the tests.
        stateful: whether its receivers keep an alert open until they get its end.
        takes_digests: whether its channels are a `DigestChannel`.
    """

    name: str
    spec: type[S]
    build: Callable[[S, str, str, ChannelContext], Channel]
    example: Mapping[str, Any] = field(repr=False)
    stateful: bool = False
    takes_digests: bool = False


_TYPES: dict[str, ChannelType[Any]] = {}


def register(channel_type: ChannelType[S]) -> ChannelType[S]:
    """Add a type to the table.

    Raises:
        ValueError: another type has that name.
    """
    if channel_type.name in _TYPES:
        raise ValueError(f"there are two types of channel named {channel_type.name!r}")
    _TYPES[channel_type.name] = channel_type
    return channel_type


def channel_types() -> Mapping[str, ChannelType[Any]]:
    """The types of channel by name, in the order of their names."""
    _import_modules()
    return MappingProxyType(dict(sorted(_TYPES.items())))


@cache
def _import_modules() -> None:
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")
