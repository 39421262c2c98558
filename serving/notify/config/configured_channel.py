"""A channel of the channels file, with its secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.notify.channels.base import Channel
from serving.notify.channels.registry import ChannelContext, ChannelType
from serving.notify.channels.spec import ChannelSpec
from serving.outgoing.address_rules import AddressRules


@dataclass(frozen=True, slots=True)
class ConfiguredChannel:
    """A channel as configured.

    Attributes:
        type: its type.
        spec: its settings, as written in the file.
        url: where it sends to.
        secret: what it signs with; empty if it signs nothing.
        other_secrets: by the setting that names the environment variable of each.
    """

    type: ChannelType[Any]
    spec: ChannelSpec
    url: str = field(repr=False)
    secret: str = field(repr=False)
    other_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def rules(self) -> AddressRules:
        """Which addresses it may connect to."""
        return self.spec.rules(self.url)

    def build(self, context: ChannelContext) -> Channel:
        """The channel itself."""
        return self.type.build(self.spec, self.url, self.secret, context)
