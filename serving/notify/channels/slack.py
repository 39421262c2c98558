"""Slack, through one of its incoming webhooks."""

from typing import Any, Literal

from serving.notify.channels.chat_webhook import ChatWebhook
from serving.notify.channels.registry import ChannelType, register
from serving.notify.channels.spec import ChannelSpec
from serving.notify.render import slack
from serving.notify.render.content import RenderedMessage


class SlackSpec(ChannelSpec):
    """An incoming webhook of Slack."""

    type: Literal["slack"]


class SlackChannel(ChatWebhook):
    """Sends blocks; 20 transitions make 21 of the 50 blocks that a message may have."""

    most = 20

    def render(self, message: RenderedMessage) -> dict[str, Any]:
        """The blocks of a message."""
        return slack.render(message)


register(
    ChannelType(
        name="slack",
        spec=SlackSpec,
        build=SlackChannel,
        example={"url": "https://hooks.slack.com/services/T0001/B0002/s3cr3t-t0ken"},
    )
)
