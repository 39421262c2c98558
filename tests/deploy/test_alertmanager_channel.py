"""The service's Alertmanager channel against a real Alertmanager: fire, escalate, resolve."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from serving.notify.notification import Notification
from tests.deploy import daemons
from tests.deploy.daemons import AlertReceiver, eventually
from tests.serving.notify.conftest import notification
from tests.serving.notify.receiver import Receiver as Address
from tests.serving.notify.test_http_channels import alertmanager as channel

ONE_GROUP = {
    "route": {"receiver": "everybody", "group_by": ["alertname"]},
    "receivers": [{"name": "everybody"}],
}
Sent = list[tuple[str, str, str]]


@pytest.fixture
def one_group(
    receiver: AlertReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """An Alertmanager that sends all alerts in one group to one receiver."""
    folder = tmp_path_factory.mktemp("one_group")
    with daemons.alertmanager(folder, ONE_GROUP, receiver) as client:
        yield client


def about(kol_id: str, reason: str, severity: str, minutes_ago: int, **more: Any) -> Notification:
    now = datetime.now(UTC)
    values = {
        "alert_id": f"id{kol_id}",
        "kol_id": kol_id,
        "reason": reason,
        "severity": severity,
        "at": now - timedelta(minutes=minutes_ago),
        "opened_at": now - timedelta(minutes=30),
    }
    return notification(**values | more)


def send(client: httpx.Client, *notifications: Notification) -> None:
    async def sent() -> None:
        async with httpx.AsyncClient() as http:
            await channel(http, Address(port=client.base_url.port or 0)).send(notifications)

    asyncio.run(sent())


def received(receiver: AlertReceiver, kol_id: str) -> Sent:
    """(receiver, severity, status) of every alert on a KOL that was received, in order."""
    return [
        (alert["receiver"], alert["labels"]["severity"], alert["status"])
        for alert in receiver.alerts(kol=kol_id)
    ]


def wait_for(receiver: AlertReceiver, kol_id: str, what: Sent) -> None:
    """Wait for as many alerts, and check that they are exactly these."""
    eventually(
        lambda: len(received(receiver, kol_id)) >= len(what), f"{len(what)} alerts are received"
    )
    assert received(receiver, kol_id) == what


def test_an_alert_fires_escalates_resolves_and_fires_again(
    alertmanager: httpx.Client, receiver: AlertReceiver
) -> None:
    send(alertmanager, about("rise", "opened", "warning", 30))
    wanted = [("pr-desk", "warning", "firing")]
    wait_for(receiver, "rise", wanted)
    (first,) = receiver.alerts(kol="rise")
    assert first["labels"] == {
        "alertname": "Groundswell",
        "alert_id": "idrise",
        "kol": "rise",
        "kind": "backlash",
        "severity": "warning",
    }
    assert first["group"] == {"kol": "rise"}
    send(alertmanager, about("rise", "escalated", "critical", 20))
    wanted.append(("pr-on-call", "critical", "firing"))
    wait_for(receiver, "rise", wanted)
    time.sleep(2.5)  # two intervals of the group: no message says that the warning is resolved
    assert received(receiver, "rise") == wanted
    send(alertmanager, about("rise", "resolved", "critical", 10))
    over = {"kol": "rise", "severity": "critical", "status": "resolved"}
    eventually(lambda: receiver.alerts(**over), "the end is received")
    answer = alertmanager.get("/api/v2/alerts", params={"filter": 'kol="rise"'})
    assert answer.json() == []
    send(alertmanager, about("rise", "reopened", "critical", 2))
    again = ("pr-on-call", "critical", "firing")
    eventually(lambda: received(receiver, "rise").count(again) == 2, "it is received again")


def test_nothing_is_resolved_that_never_fired(
    one_group: httpx.Client, receiver: AlertReceiver
) -> None:
    send(one_group, about("other", "opened", "warning", 30))
    send(one_group, about("straight", "opened", "critical", 30))
    wait_for(receiver, "straight", [("everybody", "critical", "firing")])
    send(one_group, about("straight", "resolved", "critical", 10))
    eventually(lambda: receiver.alerts(kol="straight", status="resolved"), "the end is received")
    severities = {alert["labels"]["severity"] for alert in receiver.alerts(kol="straight")}
    assert severities == {"critical"}


def test_an_alert_that_resolved_while_alertmanager_was_down_does_not_fire(
    one_group: httpx.Client, receiver: AlertReceiver
) -> None:
    send(
        one_group,
        about("burst", "opened", "warning", 30),
        about("burst", "escalated", "critical", 20),
        about("burst", "resolved", "critical", 10),
        about("later", "opened", "warning", 1),
    )
    eventually(lambda: receiver.alerts(kol="later"), "the alert beside it is received")
    assert receiver.alerts(kol="burst", status="firing") == []
    answer = one_group.get("/api/v2/alerts", params={"filter": 'kol="burst"'})
    assert answer.json() == []


def test_the_end_resolves_labels_whose_escalation_was_lost(
    one_group: httpx.Client, receiver: AlertReceiver
) -> None:
    send(one_group, about("lost", "opened", "warning", 30))
    wait_for(receiver, "lost", [("everybody", "warning", "firing")])
    send(one_group, about("lost", "resolved", "critical", 10))
    over = {"kol": "lost", "severity": "warning"}
    eventually(lambda: receiver.alerts(status="resolved", **over), "the end is received")
