"""The service, Prometheus and Alertmanager, all real: a storm from its first comment to its end."""

import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy import daemons
from tests.deploy.daemons import DEPLOY, AlertReceiver, eventually
from tests.serving import processes
from tests.serving.streams import storm, wait_until_processed

START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=31)
IN_THE_STORM = START + timedelta(hours=20, minutes=40)
CHANNELS = """
[channels.on-call]
type = "alertmanager"
url = "{url}"

[[routes]]
kols = ["lena"]
channels = ["on-call"]
"""


@dataclass
class MonitoringStack:
    """All running programs. Alerts on lena also go through the service's own channel."""

    service: httpx.Client
    prometheus: httpx.Client
    alertmanager: httpx.Client
    receiver: AlertReceiver
    rest: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def send(self, items: list[dict[str, Any]]) -> None:
        for first in range(0, len(items), 500):
            self.service.post("/v1/comments", json=items[first : first + 500]).raise_for_status()
        wait_until_processed(self.service)

    def replay(self, kol_id: str) -> None:
        """Send a calm day, wait for a scrape, send 40 minutes of storm; keep the rest."""
        items = storm(kol_id, START)
        at = [datetime.fromisoformat(item["created_at"]) for item in items]
        calm = sum(when < START + timedelta(hours=19) for when in at)
        known = sum(when < IN_THE_STORM for when in at)
        self.send(items[:calm])
        eventually(lambda: self.ask(f'groundswell_mood{{kol="{kol_id}"}}'), f"{kol_id} is scraped")
        self.send(items[calm:known])
        self.rest[kol_id] = items[known:]

    def ask(self, expr: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        answer = self.prometheus.get("/api/v1/query", params={"query": expr})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return found

    def known(self, **labels: str) -> list[dict[str, Any]]:
        """The alerts that Alertmanager knows."""
        query = [("filter", f'{name}="{value}"') for name, value in labels.items()]
        answer = self.alertmanager.get("/api/v2/alerts", params=query)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found


@pytest.fixture(scope="module")
def stack(
    alertmanager: httpx.Client, receiver: AlertReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MonitoringStack]:
    folder: Path = tmp_path_factory.mktemp("stack")
    channels = folder / "channels.toml"
    channels.write_text(CHANNELS.format(url=f"{alertmanager.base_url}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUNDSWELL_CHANNELS", str(channels))
        running = processes.service(folder / "stack.db")
        _, service = running.__enter__()
    try:
        targets = {
            "groundswell:8000": service.base_url.netloc.decode(),
            "alertmanager:9093": alertmanager.base_url.netloc.decode(),
        }
        with daemons.prometheus(folder, targets) as prometheus:
            stack = MonitoringStack(service, prometheus, alertmanager, receiver)
            eventually(lambda: stack.ask('up{job="groundswell"} == 1'), "the service is scraped")
            for kol_id in ("mina", "lena"):
                stack.replay(kol_id)
            yield stack
    finally:
        running.__exit__(None, None, None)


def test_a_rule_fires_and_alertmanager_notifies_on_call(stack: MonitoringStack) -> None:
    wanted = {"alertname": "GroundswellBacklash", "kol": "mina", "severity": "critical"}
    (first, *_) = eventually(lambda: stack.receiver.alerts(**wanted), "mina's alert is received")
    assert first["status"] == "firing"
    assert first["receiver"] == "pr-on-call"
    assert first["group"] == {"kol": "mina"}
    assert first["labels"]["team"] == "pr"
    assert first["annotations"]["summary"] == "mina: backlash in the comments (critical)"


def test_the_rule_stays_silent_where_the_service_notifies_itself(stack: MonitoringStack) -> None:
    by_itself = {"alertname": "Groundswell", "kol": "lena", "severity": "critical"}
    received = eventually(
        lambda: stack.receiver.alerts(**by_itself), "the channel's alert is received"
    )
    (alert,) = stack.service.get("/v1/alerts", params={"kol_id": "lena"}).json()["items"]
    assert received[0]["labels"]["alert_id"] == alert["alert_id"]
    assert received[0]["status"] == "firing"
    rule = {"alertname": "GroundswellBacklash", "kol": "lena", "severity": "critical"}
    (ruled,) = eventually(lambda: stack.known(**rule), "the rule's alert is known")
    assert ruled["status"]["state"] == "suppressed"
    assert ruled["status"]["inhibitedBy"]


def queries() -> Iterator[tuple[str, str, bool]]:
    """(where, PromQL, whether it is instant) of every panel's queries."""
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                where = f"{board['title']}, {panel['title']}, {target['refId']}"
                yield where, target["expr"], bool(target.get("instant"))


def filled_in(expr: str) -> str:
    """An expression with its dashboard variables replaced."""
    for name, value in {"$__rate_interval": "30s", "$kol": "lena"}.items():
        expr = expr.replace(name, value)
    assert "$" not in expr, expr
    return expr


def test_every_panel_has_data(stack: MonitoringStack) -> None:
    late = storm("lena", START)[0] | {"comment_id": "late"}
    stack.send([late, late, {"platform": "instagram"}])
    twice = 'count_over_time(groundswell_comments_late_total{kol="lena"}[30s]) > 1'
    eventually(lambda: stack.ask(twice), "the late comment was scraped twice")
    empty = []
    for where, expr, instant in queries():
        until = time.time()
        span = {} if instant else {"start": until - 60, "end": until, "step": 1}
        answer = stack.prometheus.get(
            "/api/v1/query" if instant else "/api/v1/query_range",
            params={"query": filled_in(expr), **span},
        )
        assert answer.is_success, (where, answer.text)
        values = [
            float(value)
            for series in answer.json()["data"]["result"]
            for _, value in (series.get("values") or [series["value"]])
        ]
        if all(map(math.isnan, values)):
            empty.append(where)
    assert empty == []


def test_annotations_exist_while_an_alert_is_open(stack: MonitoringStack) -> None:
    for name, some in {"overview": True, "kol": True, "service": False}.items():
        board = json.loads((DEPLOY / f"grafana/dashboards/{name}.json").read_text())
        (marks,) = board["annotations"]["list"]
        assert bool(stack.ask(filled_in(marks["expr"]))) is some, name


def test_a_silence_is_respected(stack: MonitoringStack) -> None:
    now = datetime.now(UTC)
    silence = {
        "matchers": [{"name": "kol", "value": "nora", "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "test",
        "comment": "known",
    }
    answer = stack.alertmanager.post("/api/v2/silences", json=silence).raise_for_status()
    silence_id = answer.json()["silenceID"]
    stack.replay("nora")
    rule = {"alertname": "GroundswellBacklash", "kol": "nora", "severity": "critical"}
    (held,) = eventually(lambda: stack.known(**rule), "nora's alert is known")
    assert held["status"] == {"state": "suppressed", "silencedBy": [silence_id], "inhibitedBy": []}
    assert stack.receiver.alerts(kol="nora") == []
    stack.alertmanager.delete(f"/api/v2/silence/{silence_id}").raise_for_status()
    eventually(lambda: stack.receiver.alerts(**rule), "nora's alert is received after the silence")


def test_a_snoozed_alert_stops_firing(stack: MonitoringStack) -> None:
    (alert,) = stack.service.get("/v1/alerts", params={"kol_id": "nora"}).json()["items"]
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    action = {"action": "snooze", "actor": "test", "until": until}
    answer = stack.service.post(f"/v1/alerts/{alert['alert_id']}/actions", json=action)
    assert answer.is_success, answer.text
    eventually(lambda: stack.ask('groundswell_alerts_muted{kol="nora"} == 1'), "it is muted")
    over = {"alertname": "GroundswellBacklash", "kol": "nora", "status": "resolved"}
    eventually(lambda: stack.receiver.alerts(**over), "the rule ends")


def test_the_end_of_an_alert_is_received(stack: MonitoringStack) -> None:
    for kol_id in ("mina", "lena"):
        stack.send(stack.rest[kol_id])
    for alertname, kol_id in (("GroundswellBacklash", "mina"), ("Groundswell", "lena")):
        over = {"alertname": alertname, "kol": kol_id, "severity": "critical"}
        eventually(
            lambda over=over: stack.receiver.alerts(status="resolved", **over),
            f"{kol_id}'s end is received",
        )
    text = stack.service.get("/metrics").text
    assert re.search(r'deliveries_total\{channel="on-call",outcome="delivered"\} [1-9]', text)
    assert 'deliveries_total{channel="on-call",outcome="dead"} 0.0' in text
