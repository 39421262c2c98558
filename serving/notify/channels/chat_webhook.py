"""What Slack, Teams and Lark have in common: JSON in the chat's own form, POSTed to a webhook.

apprise reaches them, but sends text: blocks only from a template file, cards only of its own.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from serving.notify.channels.http_post import post
from serving.notify.channels.registry import ChannelContext
from serving.notify.channels.spec import ChannelSpec
from serving.notify.notification import Notification
from serving.notify.render.content import RenderedMessage, shortened, write

HEADERS = {"User-Agent": "groundswell"}
_SHORTER = (2000, 1000, 500, 200, 80)  # characters of every text, until the message fits


class ChatWebhook(ABC):
    """POSTs a message in a chat's own form, a burst as one.

    Attributes:
        most: notifications that one message may hold.
        most_bytes: that the chat takes; a message that is longer is halved, or its texts are cut.
        interval: least time between two messages.
    """

    most: ClassVar[int]
    most_bytes: ClassVar[int | None] = None

    def __init__(self, spec: ChannelSpec, url: str, _secret: str, context: ChannelContext) -> None:
        self._http = context.http
        self._url = url
        self._words = spec.wording
        self.interval = spec.interval

    @abstractmethod
    def render(self, message: RenderedMessage) -> dict[str, Any]:
        """A message in the chat's own form."""

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver, in several messages if one would be too long."""
        message = write(notifications, self._words)
        body = self._encoded(message)
        if self.most_bytes is not None and len(body) > self.most_bytes:
            if len(notifications) > 1:
                middle = len(notifications) // 2
                await self.send(notifications[:middle])
                await self.send(notifications[middle:])
                return
            for longest in _SHORTER:
                body = self._encoded(shortened(message, longest))
                if len(body) <= self.most_bytes:
                    break
        await self.deliver(body, notifications, message)

    async def deliver(
        self, body: bytes, _notifications: Sequence[Notification], _message: RenderedMessage
    ) -> None:
        """POST a body that the chat takes; 2xx means delivered."""
        await post(self._http, self._url, body, HEADERS)

    def _encoded(self, message: RenderedMessage) -> bytes:
        return json.dumps(self.render(message), ensure_ascii=False).encode()
