"""What Slack and Teams have in common: JSON in the chat's own form, POSTed to a webhook.

apprise reaches both, but sends them text: blocks only from a template file, cards only of its own.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from serving.notify.channels.http_post import post
from serving.notify.channels.registry import ChannelContext
from serving.notify.channels.spec import ChannelSpec
from serving.notify.notification import Notification
from serving.notify.render.content import RenderedMessage, write


class ChatWebhook(ABC):
    """POSTs a message in a chat's own form, a burst as one.

    Attributes:
        most: notifications that one message may hold.
        interval: least time between two messages.
    """

    most: ClassVar[int]

    def __init__(self, spec: ChannelSpec, url: str, _secret: str, context: ChannelContext) -> None:
        self._http = context.http
        self._url = url
        self._words = spec.wording
        self.interval = spec.interval

    @abstractmethod
    def render(self, message: RenderedMessage) -> dict[str, Any]:
        """A message in the chat's own form."""

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; 2xx means delivered."""
        body = json.dumps(self.render(write(notifications, self._words)), ensure_ascii=False)
        await post(self._http, self._url, body.encode(), {"User-Agent": "groundswell"})
