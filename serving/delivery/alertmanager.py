"""Prometheus Alertmanager's v2 API: its routes, silences and on-call tools take over."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from monitoring.alerts import SEVERITIES
from monitoring.policy import Policy
from serving.delivery.http_post import post
from serving.delivery.message import render
from serving.delivery.notification import Notification

# Alertmanager ends an alert by itself unless told when it may; ours are resolved by then.
_STANDS = Policy().longest + timedelta(hours=1)
_TEST_STANDS = timedelta(minutes=5)


class Alertmanager:
    """POSTs alerts, firing or resolved; several at once."""

    most = 50

    def __init__(self, http: httpx.AsyncClient, url: str, interval: timedelta) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self.interval = interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; of the transitions of one set of labels the latest counts."""
        latest: dict[tuple[str, str], dict[str, Any]] = {}
        for notification in notifications:
            for alert in _alerts(notification):
                latest[notification.alert_id, alert["labels"]["severity"]] = alert
        body = json.dumps(list(latest.values()), ensure_ascii=False).encode()
        await post(self._http, self._url, body, {"User-Agent": "groundswell"})


def _alerts(notification: Notification) -> list[dict[str, Any]]:
    """The alert at its severity, and the end of what may fire under its lower severities.

    Labels are an alert's identity in Alertmanager, and severity is one of them because routes go
    by it. An end of labels that never fired notifies nobody.
    """
    rank = SEVERITIES.index(notification.severity)
    stands = {"resolved": timedelta(), "test": _TEST_STANDS}.get(notification.reason, _STANDS)
    ends = notification.at + stands
    alerts = [_alert(notification, notification.severity, ends)]
    if notification.reason in ("escalated", "resolved"):
        alerts += [
            _alert(notification, lower, notification.at) for lower in reversed(SEVERITIES[:rank])
        ]
    return alerts


def _alert(notification: Notification, severity: str, ends: datetime) -> dict[str, Any]:
    message = render([notification])
    alert = {
        "labels": {
            "alertname": "Groundswell",
            "alert_id": notification.alert_id,
            "kol": notification.kol_id,
            "kind": notification.kind,
            "severity": severity,
        },
        "annotations": {"summary": message.subject, "description": message.body},
        "startsAt": min(notification.opened_at, ends).isoformat(),
        "endsAt": ends.isoformat(),
    }
    if notification.link:
        alert["generatorURL"] = notification.link
    return alert
