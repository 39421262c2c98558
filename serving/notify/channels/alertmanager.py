"""Prometheus Alertmanager's v2 API: its routes, silences and on-call tools take over."""

import json
from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from typing import Any

import httpx

from monitoring.alerts import SEVERITIES
from monitoring.policy import Policy
from serving.locales.wording import Wording
from serving.notify.channels.base import Unavailable
from serving.notify.channels.http_post import get, post
from serving.notify.notification import Notification
from serving.notify.render.plain import render

_NAME = "Groundswell"
_HEADERS = {"User-Agent": "groundswell"}
_ENDS = ("escalated", "resolved")
# Alertmanager ends an alert by itself unless told when it may; ours are resolved by then.
_FIRES = Policy().longest + timedelta(hours=1)
_STANDS = {"resolved": timedelta(), "test": timedelta(minutes=5)}
_MOST_HELD = 4_000_000  # bytes of an answer


class Alertmanager:
    """POSTs alerts, firing or resolved; several at once."""

    most = 50

    def __init__(
        self, http: httpx.AsyncClient, url: str, interval: timedelta, words: Wording
    ) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._words = words
        self.interval = interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; of the transitions of one set of labels the latest counts.

        Labels are an alert's identity in Alertmanager, and severity is one of them because routes
        go by it. So an escalation or a resolution also ends what fires under another severity. It
        asks what does: an end of labels that never fired would be told in the group's message.
        What fires stands before what ends, so that it can mute the end.
        """
        held = await self._held({one.alert_id for one in notifications if one.reason in _ENDS})
        latest: dict[tuple[str, str], dict[str, Any]] = {}
        for notification in notifications:
            own = notification.alert_id, notification.severity
            ends = notification.at + _STANDS.get(notification.reason, _FIRES)
            latest.pop(own, None)
            latest[own] = _alert(notification, notification.severity, ends, self._words)
            if notification.reason in _ENDS:
                for severity in sorted(set(SEVERITIES) - {notification.severity}):
                    other = notification.alert_id, severity
                    latest.pop(other, None)
                    if other in held:
                        latest[other] = _alert(notification, severity, notification.at, self._words)
        body = json.dumps(list(latest.values()), ensure_ascii=False).encode()
        await post(self._http, self._url, body, _HEADERS)

    async def _held(self, alert_ids: Set[str]) -> set[tuple[str, str]]:
        """Which of these alerts Alertmanager holds as firing, muted or not: (id, severity)."""
        if not alert_ids:
            return set()
        ids = "|".join(sorted(alert_ids))
        filters = [("filter", f'alertname="{_NAME}"'), ("filter", f'alert_id=~"{ids}"')]
        body = await get(self._http, self._url, filters, _HEADERS, most=_MOST_HELD)
        try:
            labels = [alert["labels"] for alert in json.loads(body)]
            return {(one["alert_id"], one["severity"]) for one in labels}
        except (ValueError, TypeError, KeyError) as error:
            raise Unavailable("its answer is no list of alerts") from error


def _alert(
    notification: Notification, severity: str, ends: datetime, words: Wording
) -> dict[str, Any]:
    message = render([notification], words)
    alert = {
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
    if notification.link:
        alert["generatorURL"] = notification.link
    return alert
