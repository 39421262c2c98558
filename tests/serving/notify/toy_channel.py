"""A type of channel in one file: its settings, its checks, its work and its registration."""

import json
from collections.abc import Sequence
from typing import Literal

from serving.notify.channels.http_post import post
from serving.notify.channels.registry import ChannelContext, ChannelType, register
from serving.notify.channels.spec import ChannelSpec, check_http_url
from serving.notify.notification import Notification
from serving.notify.render.plain import render


class ToySpec(ChannelSpec):
    """A toy that reads a message aloud."""

    type: Literal["toy"]
    volume: int = 5

    def check_url(self, url: str) -> None:
        """Check the URL: https, and a toy at the end of the path."""
        check_http_url(url)
        if "/toys/" not in url:
            raise ValueError("the URL names no toy; write it like https://host/toys/NAME")


class ToyChannel:
    """POSTs a message as JSON; 2xx means delivered."""

    most = 3

    def __init__(self, spec: ToySpec, url: str, _secret: str, context: ChannelContext) -> None:
        self._http = context.http
        self._url = url
        self._spec = spec
        self.interval = spec.interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver."""
        message = render(notifications, self._spec.wording)
        spoken = {"volume": self._spec.volume, "text": f"{message.subject}\n{message.body}"}
        headers = {"Idempotency-Key": notifications[0].key}
        await post(self._http, self._url, json.dumps(spoken).encode(), headers)


register(
    ChannelType(
        name="toy",
        spec=ToySpec,
        build=ToyChannel,
        example={"url": "https://toys.example.com/toys/s3cr3t-t0ken"},
    )
)
