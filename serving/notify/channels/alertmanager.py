"""Prometheus Alertmanager through its v2 API; its routes, silences and on-call tools take over."""

import json
from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from typing import Any, Literal

from monitoring.kinds import Severity
from monitoring.policy import Policy
from serving.locales.wording import Wording
from serving.notify.channels.base import Unavailable
from serving.notify.channels.http_post import get, post
from serving.notify.channels.registry import ChannelContext, ChannelType, register
from serving.notify.channels.spec import ChannelSpec, check_http_url
from serving.notify.notification import Notification
from serving.notify.render.plain import render

_NAME = "Groundswell"
_HEADERS = {"User-Agent": "groundswell"}
_ENDING = ("escalated", "resolved")
# Alertmanager ends an alert by itself at its `endsAt`; ours are resolved by then.
_FIRING = Policy().longest + timedelta(hours=1)
_FIRING_AFTER = {"resolved": timedelta(), "test": timedelta(minutes=5)}
_MAX_ANSWER = 4_000_000  # bytes


class AlertmanagerSpec(ChannelSpec):
    """Prometheus Alertmanager; the URL is its address without a path below it."""

    type: Literal["alertmanager"]
    allow_http: bool = False

    def check_url(self, url: str) -> None:
        """Check the URL; https, unless the file allows http."""
        check_http_url(url, allow_http=self.allow_http)


class AlertmanagerChannel:
    """POSTs alerts, firing or resolved; several at once."""

    most = 50

    def __init__(
        self, spec: AlertmanagerSpec, url: str, _secret: str, context: ChannelContext
    ) -> None:
        self._http = context.http
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._words = spec.wording
        self.interval = spec.interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; of the transitions with the same labels only the latest is sent.

        Labels identify an alert in Alertmanager. Severity is one of them, because routes match on
        it. So an escalation, a resolution or a withdrawal also ends the alert that fires under
        another severity.
        Alertmanager is asked first which do, because it would also report the end of labels that
        never fired.
        Alerts that fire come before those that end, so that they can inhibit the end.
        """
        firing = await self._firing({one.alert_id for one in notifications if _ends_others(one)})
        latest: dict[tuple[str, str], dict[str, Any]] = {}
        for notification in notifications:
            own = notification.alert_id, notification.severity
            fires = _FIRING_AFTER.get(notification.reason, _FIRING)
            ends = notification.at + (timedelta() if notification.withdrawn else fires)
            latest.pop(own, None)
            latest[own] = _alert(notification, notification.severity, ends, self._words)
            if _ends_others(notification):
                for severity in sorted(set(Severity) - {notification.severity}):
                    other = notification.alert_id, severity
                    latest.pop(other, None)
                    if other in firing:
                        latest[other] = _alert(notification, severity, notification.at, self._words)
        body = json.dumps(list(latest.values()), ensure_ascii=False).encode()
        await post(self._http, self._url, body, _HEADERS)

    async def _firing(self, alert_ids: Set[str]) -> set[tuple[str, str]]:
        """Which of these alerts fire in Alertmanager, muted or not: (id, severity)."""
        if not alert_ids:
            return set()
        ids = "|".join(sorted(alert_ids))
        filters = [("filter", f'alertname="{_NAME}"'), ("filter", f'alert_id=~"{ids}"')]
        body = await get(self._http, self._url, filters, _HEADERS, most=_MAX_ANSWER)
        try:
            labels = [alert["labels"] for alert in json.loads(body)]
            return {(one["alert_id"], one["severity"]) for one in labels}
        except (ValueError, TypeError, KeyError) as error:
            raise Unavailable("its answer is no list of alerts") from error


def _ends_others(notification: Notification) -> bool:
    """Whether what fires under another severity is over."""
    return notification.withdrawn or notification.reason in _ENDING


def _alert(
    notification: Notification, severity: str, ends: datetime, words: Wording
) -> dict[str, Any]:
    message = render([notification], words)
    alert: dict[str, Any] = {
        "labels": {
            "alertname": _NAME,
            "alert_id": notification.alert_id,
            "kol": notification.kol_id,
            "kind": notification.kind,
            "severity": severity,
        },
        "annotations": {"summary": message.subject, "description": message.body},
        "startsAt": min(notification.opened_at, ends).isoformat(),
        "endsAt": ends.isoformat(),
    }
    if notification.found_at is not None:
        alert["annotations"]["found_at"] = notification.found_at.isoformat()
    if notification.link:
        alert["generatorURL"] = notification.link
    return alert


register(
    ChannelType(
        name="alertmanager",
        spec=AlertmanagerSpec,
        build=AlertmanagerChannel,
        example={"url": "https://alertmanager.example.com/s3cr3t-t0ken"},
        stateful=True,
    )
)
