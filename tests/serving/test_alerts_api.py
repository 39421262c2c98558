"""Alerts over HTTP, as they stand and as they arise."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.conftest import NOW
from tests.serving.streams import storm, wait_until_processed

START = NOW - timedelta(days=2)


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path: Path = tmp_path_factory.mktemp("alerts") / "alerts.db"
    settings = Settings(database_url=f"sqlite:///{path}", _env_file=None)
    app = create_app(
        settings,
        classifier=SentimentClassifier.from_backend(FakeBackend()),
        clock=TestClock(NOW),
    )
    with TestClient(app) as client:
        for kol_id in ("lena", "mina"):
            items = storm(kol_id, START)
            for first in range(0, len(items), 500):
                client.post("/v1/comments", json=items[first : first + 500])
        wait_until_processed(client)
        yield client


def test_each_storm_is_one_alert(stormy: TestClient) -> None:
    page = stormy.get("/v1/alerts").json()
    paging = [alert for alert in page["items"] if alert["severity"] != "info"]
    assert sorted(alert["kol_id"] for alert in paging) == ["lena", "mina"]
    assert page["next_cursor"] is None
    for alert in paging:
        assert alert["state"] == "resolved"
        evidence = alert["evidence"]
        assert evidence["negative_share"] > 2 * evidence["expected_negative_share"]
        assert alert["kol_id"] in evidence["summary"]
        assert evidence["drivers"]["posts"]


def test_one_alert_with_its_transitions(stormy: TestClient) -> None:
    (listed,) = stormy.get("/v1/alerts", params={"kol_id": "lena"}).json()["items"]
    alert = stormy.get(f"/v1/alerts/{listed['alert_id']}").json()
    events, actions, _ = alert.pop("events"), alert.pop("actions"), alert.pop("trace")
    assert actions == []
    assert alert == listed
    assert (events[0]["reason"], events[-1]["reason"]) == ("opened", "resolved")
    assert events[0]["at"] == alert["opened_at"]
    assert events[-1]["at"] == alert["resolved_at"]
    assert [event["event_id"] for event in events] == sorted(e["event_id"] for e in events)


def test_the_trace_shows_the_crossing_that_opened_the_alert(stormy: TestClient) -> None:
    (listed,) = stormy.get("/v1/alerts", params={"kol_id": "lena"}).json()["items"]
    alert = stormy.get(f"/v1/alerts/{listed['alert_id']}").json()
    trace, opened = alert["trace"], alert["events"][0]
    begun = datetime.fromisoformat(opened["evidence"]["incident_start"])
    assert datetime.fromisoformat(trace["since"]) <= begun - timedelta(minutes=115)
    assert trace["until"] == alert["resolved_at"]
    assert 0 < len(trace["points"]) <= 240

    fine = stormy.get(f"/v1/alerts/{listed['alert_id']}", params={"points": 5000}).json()["trace"]
    assert fine["step"] == 60
    at = datetime.fromisoformat(opened["at"]) - timedelta(minutes=1)
    (crossing,) = (p for p in fine["points"] if datetime.fromisoformat(p["start"]) == at)
    said = opened["evidence"]["scores"]
    assert crossing["scores"] == [
        {name: value for name, value in score.items() if name != "inputs"} for score in said
    ]
    assert said[0]["inputs"]["p"] == crossing["expected_negative_share"]
    assert any(score["value"] >= score["threshold"] for score in crossing["scores"])
    for point in fine["points"]:
        if datetime.fromisoformat(point["start"]) < at:
            assert all(score["value"] < score["threshold"] for score in point["scores"])
    stretch = [p for p in fine["points"] if begun <= datetime.fromisoformat(p["start"]) <= at]
    assert sum(p["comments"] for p in stretch) == opened["evidence"]["comments"]
    assert sum(p["negative"] for p in stretch) == pytest.approx(opened["evidence"]["negative"])


def test_too_few_points_of_a_trace_are_refused(stormy: TestClient) -> None:
    (listed,) = stormy.get("/v1/alerts", params={"kol_id": "lena"}).json()["items"]
    answer = stormy.get(f"/v1/alerts/{listed['alert_id']}", params={"points": 1})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")


def test_filters(stormy: TestClient) -> None:
    def kols(**query: Any) -> list[str]:
        return [a["kol_id"] for a in stormy.get("/v1/alerts", params=query).json()["items"]]

    assert kols(state="open") == []
    assert kols(since=NOW.isoformat()) == []
    assert kols(kol_id="nobody") == []
    assert set(kols(state="resolved", since=START.isoformat())) == {"lena", "mina"}


def test_pages(stormy: TestClient) -> None:
    everything = [a["alert_id"] for a in stormy.get("/v1/alerts").json()["items"]]
    first = stormy.get("/v1/alerts", params={"limit": 1}).json()
    rest = stormy.get("/v1/alerts", params={"cursor": first["next_cursor"]}).json()
    assert [a["alert_id"] for a in first["items"] + rest["items"]] == everything


def test_an_unknown_alert(stormy: TestClient) -> None:
    answer = stormy.get("/v1/alerts/none")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_sending_it_all_again_changes_nothing(stormy: TestClient) -> None:
    before = stormy.get("/v1/alerts").json()
    answer = stormy.post("/v1/comments", json=storm("lena", START)[:500]).json()
    assert (answer["accepted"], answer["duplicates"]) == (0, 500)
    assert stormy.get("/v1/alerts").json() == before


def test_metrics_tell_the_same(stormy: TestClient) -> None:
    text = stormy.get("/metrics").text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    accepted = float(values['groundswell_comments_received_total{kol="mina",outcome="accepted"}'])
    scored = [
        float(v)
        for k, v in values.items()
        if k.startswith('groundswell_comments_scored_total{kol="mina"')
    ]
    assert accepted == sum(scored) > 0
    assert float(values["groundswell_backlog_comments"]) == 0
    assert float(values['groundswell_negative_share{kol="lena"}']) < 0.5
    opened = [k for k in values if k.startswith("groundswell_alert_events_total") and "opened" in k]
    assert sum(float(values[key]) for key in opened) >= 2


def test_status_of_the_kols(stormy: TestClient) -> None:
    for kol in stormy.get("/v1/kols").json()["items"]:
        assert kol["status"]["score"] < 1
        assert kol["status"]["alert_id"] is None
        assert -1 <= kol["status"]["mood"] <= 1
