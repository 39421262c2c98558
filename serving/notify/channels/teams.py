"""Microsoft Teams, through a workflow that a webhook triggers."""

from typing import Any, Literal

from serving.notify.channels.chat_webhook import ChatWebhook
from serving.notify.channels.registry import ChannelType, register
from serving.notify.channels.spec import ChannelSpec
from serving.notify.render import teams
from serving.notify.render.content import RenderedMessage


class TeamsSpec(ChannelSpec):
    """A workflow of Microsoft Teams that a webhook triggers."""

    type: Literal["teams"]


class TeamsChannel(ChatWebhook):
    """Sends adaptive cards; a message may have 28 KB."""

    most = 10
    most_bytes = 28_000

    def render(self, message: RenderedMessage) -> dict[str, Any]:
        """The card of a message."""
        return teams.render(message)


register(
    ChannelType(
        name="teams",
        spec=TeamsSpec,
        build=TeamsChannel,
        example={"url": "https://example.logic.azure.com/workflows/7f3a?sig=s3cr3t-t0ken"},
    )
)
