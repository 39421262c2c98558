"""Slack and Microsoft Teams through the webhooks that they hand out.

apprise reaches both, but sends them text: blocks only from a template file, cards only of its own.
"""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import httpx

from serving.locales.wording import Wording
from serving.notify.channels.http_post import post
from serving.notify.notification import Notification
from serving.notify.render import slack, teams
from serving.notify.render.content import RenderedMessage, write


class ChatWebhook:
    """POSTs a message in a chat's own form, a burst as one."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        interval: timedelta,
        words: Wording,
        *,
        render: Callable[[RenderedMessage], dict[str, Any]],
        most: int,
    ) -> None:
        self._http = http
        self._url = url
        self._words = words
        self._render = render
        self.interval = interval
        self.most = most

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; 2xx means delivered."""
        body = json.dumps(self._render(write(notifications, self._words)), ensure_ascii=False)
        await post(self._http, self._url, body.encode(), {"User-Agent": "groundswell"})


def slack_webhook(
    http: httpx.AsyncClient, url: str, interval: timedelta, words: Wording
) -> ChatWebhook:
    """A channel of Slack; 20 transitions make 21 of the 50 blocks that it takes."""
    return ChatWebhook(http, url, interval, words, render=slack.render, most=20)


def teams_webhook(
    http: httpx.AsyncClient, url: str, interval: timedelta, words: Wording
) -> ChatWebhook:
    """A channel of Teams; ten transitions stay below the 28 KB that it takes."""
    return ChatWebhook(http, url, interval, words, render=teams.render, most=10)
