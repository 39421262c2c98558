"""Signed JSON to an HTTP endpoint. docs/notifications.md shows how a receiver verifies it."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from serving.clock import Clock
from serving.locales.wording import Wording
from serving.notify.channels.http_post import post
from serving.notify.notification import Notification
from serving.notify.render.plain import render

SIGNATURE = "Groundswell-Signature"


def sign(secret: str, at: datetime, body: bytes) -> str:
    """The signature header: `t=` Unix seconds, `v1=` hex HMAC-SHA256 of `t`, a dot and the body."""
    t = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256)
    return f"t={t},v1={digest.hexdigest()}"


class Webhook:
    """POSTs each notification by itself; 2xx means delivered."""

    most = 1

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        secret: str,
        clock: Clock,
        interval: timedelta,
        words: Wording,
    ) -> None:
        self._http = http
        self._url = url
        self._secret = secret
        self._clock = clock
        self._words = words
        self.interval = interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; the body is the same at every attempt, the signature's time is not."""
        (notification,) = notifications
        body = json.dumps(_payload(notification, self._words), ensure_ascii=False).encode()
        headers = {
            SIGNATURE: sign(self._secret, self._clock.now(), body),
            "Idempotency-Key": notification.key,
            "User-Agent": "groundswell",
        }
        await post(self._http, self._url, body, headers)


def _payload(notification: Notification, words: Wording) -> dict[str, Any]:
    message = render([notification], words)
    return {
        "key": notification.key,
        "event": f"alert.{notification.reason}",
        "alert_id": notification.alert_id,
        "kol_id": notification.kol_id,
        "kol_name": notification.kol_name,
        "kind": notification.kind,
        "severity": notification.severity,
        "reason": notification.reason,
        "page": notification.page,
        "step": notification.step,
        "at": notification.at.isoformat(),
        "opened_at": notification.opened_at.isoformat(),
        "subject": message.subject,
        "text": message.body,
        "link": notification.link,
        "evidence": notification.evidence,
    }
