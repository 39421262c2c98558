"""Signed JSON to an HTTP endpoint. docs/notifications.md shows how a receiver verifies it."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from serving.locales.wording import Wording
from serving.notify.channels.http_post import post
from serving.notify.channels.registry import ChannelContext, ChannelType, register
from serving.notify.channels.spec import ChannelSpec, EnvName, check_http_url
from serving.notify.notification import Notification
from serving.notify.render.plain import render

SIGNATURE = "Groundswell-Signature"


class WebhookSpec(ChannelSpec):
    """Signed JSON over HTTP."""

    type: Literal["webhook"]
    secret_env: EnvName
    allow_http: bool = False

    @property
    def secret_variable(self) -> str:
        """The environment variable of the secret that messages are signed with."""
        return self.secret_env

    def check_url(self, url: str) -> None:
        """Check the URL; https, unless the file allows http."""
        check_http_url(url, allow_http=self.allow_http)


def sign(secret: str, at: datetime, body: bytes) -> str:
    """The signature header: `t=` Unix seconds, `v1=` hex HMAC-SHA256 of `t`, a dot and the body."""
    t = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256)
    return f"t={t},v1={digest.hexdigest()}"


class WebhookChannel:
    """POSTs each notification by itself; 2xx means delivered."""

    most = 1

    def __init__(self, spec: WebhookSpec, url: str, secret: str, context: ChannelContext) -> None:
        self._http = context.http
        self._url = url
        self._secret = secret
        self._clock = context.clock
        self._words = spec.wording
        self.interval = spec.interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; the body is the same at every attempt but for late platforms."""
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
        "state": notification.state,
        "ended_at": _iso(notification.ended_at),
        "found_at": _iso(notification.found_at),
        "late_comments": notification.late_comments,
        "subject": message.subject,
        "text": message.body,
        "link": notification.link,
        "top_post": _post(notification),
        "evidence": notification.evidence.to_dict(),
    }


def _post(notification: Notification) -> dict[str, Any] | None:
    """The post that drives the alert most; None where comments do not say their post."""
    drivers = notification.evidence.drivers
    if drivers is None or not drivers.posts or drivers.posts[0].post_id is None:
        return None
    name = notification.top_post
    return {
        "post_id": drivers.posts[0].post_id,
        "text": name and name.text,
        "url": name and name.url,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


register(
    ChannelType(
        name="webhook",
        spec=WebhookSpec,
        build=WebhookChannel,
        example={
            "url": "https://crm.example.com/hook?token=s3cr3t-t0ken",
            "secret_env": "CRM_SECRET",
        },
        stateful=True,
    )
)
