"""Alerts that were found late, changed or withdrawn, over HTTP and on their pages."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from serving.storage.database import Database
from serving.storage.pipeline_step import PipelineStep
from serving.storage.step_store import StepStore
from tests.serving.conftest import NOW
from tests.serving.late import rederive
from tests.serving.notify.conftest import transition

HOUR = timedelta(hours=1)
FOUND = NOW - HOUR


async def seed(url: str) -> None:
    """Alert a1 was found late and is over, b2 was withdrawn, c3 was raised as it happened."""
    database = Database(url)
    steps = StepStore(database)
    a1 = transition(at=NOW - 5 * HOUR), transition("resolved", at=NOW - 3 * HOUR)
    await rederive(database, steps, *a1, now=FOUND)
    b2 = transition(at=NOW - 4 * HOUR, alert_id="b2", kol_id="mina")
    c3 = transition(at=NOW - 2 * HOUR, alert_id="c3")
    step = PipelineStep(seq=0, model="m", events=[b2, c3])
    await steps.commit(step, await steps.progress())
    await rederive(database, steps, now=FOUND, kol_id="mina")
    await database.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path: Path = tmp_path_factory.mktemp("late") / "late.db"
    url = f"sqlite:///{path}"
    Database(url).upgrade()
    asyncio.run(seed(url))
    settings = Settings(database_url=url, _env_file=None)
    classifier = SentimentClassifier.from_backend(FakeBackend())
    with TestClient(create_app(settings, classifier=classifier, clock=TestClock(NOW))) as client:
        for kol_id in ("lena", "mina"):
            client.put(f"/v1/kols/{kol_id}", json={})
        yield client


def listed(client: TestClient, **params: str) -> list[str]:
    items = client.get("/v1/alerts", params=params).json()["items"]
    return [alert["alert_id"] for alert in items]


def get(client: TestClient, alert_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/alerts/{alert_id}").json()
    return found


def test_the_list_has_them_with_their_state(client: TestClient) -> None:
    assert listed(client) == ["c3", "b2", "a1"]
    assert listed(client, state="revised") == ["b2"]
    assert listed(client, state="open") == ["c3"]
    assert listed(client, state="resolved") == ["a1"]


def test_an_alert_says_when_it_was_found(client: TestClient) -> None:
    found = FOUND.isoformat().replace("+00:00", "Z")
    assert [get(client, name)["found_at"] for name in ("a1", "b2", "c3")] == [found, None, None]
    events = {name: get(client, name)["events"] for name in ("a1", "b2")}
    assert [one["found_at"] for one in events["a1"]] == [found, found]
    assert [(one["reason"], one["found_at"]) for one in events["b2"]] == [
        ("opened", None), ("revised", found),
    ]  # fmt: skip
    assert [one["revised_to"] for one in events["b2"]] == [None, "revised"]


def test_a_withdrawn_alert_is_not_open_and_has_an_end(client: TestClient) -> None:
    alert = get(client, "b2")
    assert (alert["state"], alert["resolved_at"], alert["muted"]) == ("revised", None, None)
    assert alert["trace"]["until"] == alert["opened_at"]
    assert 'kol="mina"' not in "".join(
        line
        for line in client.get("/metrics").text.splitlines()
        if line.startswith("groundswell_open_alerts")
    )


@pytest.mark.parametrize(
    ("alert_id", "marks"),
    [
        ("a1", ["began", "opened", "resolved"]),
        ("b2", ["began", "opened"]),
        ("c3", ["began", "opened"]),
    ],
)
def test_each_has_a_page_and_a_chart(client: TestClient, alert_id: str, marks: list[str]) -> None:
    assert client.get(f"/v1/alerts/{alert_id}/chart.png").status_code == 200
    page = client.get(f"/alerts/{alert_id}").text
    assert ("Found late" in page, "WITHDRAWN" in page) == (alert_id == "a1", alert_id == "b2")
    service = client.app.state.service  # type: ignore[attr-defined]
    chart = anyio.run(service.charts.chart_of, alert_id)
    assert [mark.reason for mark in chart.marks] == marks


def test_what_people_do_to_a_withdrawn_alert_is_still_recorded(client: TestClient) -> None:
    body = {"action": "acknowledge", "actor": "mai"}
    answer = client.post("/v1/alerts/b2/actions", json=body)
    assert (answer.status_code, answer.json()["triage"]["acknowledged_by"]) == (200, "mai")
    assert get(client, "b2")["state"] == "revised"
