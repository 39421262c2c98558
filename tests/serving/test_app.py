"""The composition root: every part is there, starts with the app, and stops with it."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.batcher import Batcher, Priority
from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.charts.chart_service import ChartService
from serving.clock import SystemClock, TestClock
from serving.ingest.group_commit import GroupCommit
from serving.notify.dispatcher import Dispatcher
from serving.notify.workers.escalator import Escalator
from serving.notify.workers.unmute_notifier import UnmuteNotifier
from serving.pipeline.pipeline import Pipeline
from serving.reports.digest_scheduler import DigestScheduler
from serving.settings import Settings
from serving.startup import policy_of
from serving.storage.database import Database
from tests.serving.conftest import NOW
from tests.serving.streams import wait_until_processed

CHANNELS = """
[channels.pr]
type = "webhook"
url = "http://127.0.0.1:9/hook"
secret_env = "PR_SECRET"

[[routes]]
channels = ["pr"]
"""
ALWAYS = ("Batcher", "Dispatcher", "Pipeline", "GroupCommit")
WITH_CHANNELS = (
    *("Batcher", "Dispatcher", "UnmuteNotifier", "Escalator", "DigestScheduler"),
    *("Pipeline", "GroupCommit"),
)


@pytest.fixture
def with_channels(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PR_SECRET", "0123456789abcdef")
    path = tmp_path / "channels.toml"
    path.write_text(CHANNELS)
    return settings.model_copy(update={"channels": path})


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was started, stopped and closed, in order."""
    made: list[str] = []

    def record(part: type, name: str, label: str) -> None:
        original = getattr(part, name)

        def recorded(self: Any) -> Any:
            made.append(f"{label} {name}")
            return original(self)

        monkeypatch.setattr(part, name, recorded)

    workers = (
        *(Batcher, Dispatcher, UnmuteNotifier, Escalator, DigestScheduler, Pipeline, GroupCommit),
    )
    for worker in workers:
        record(worker, "start", worker.__name__)
        record(worker, "stop", worker.__name__)
    record(ChartService, "warm_up", "ChartService")
    record(ChartService, "close", "ChartService")
    for name in ("upgrade", "claim", "close"):
        record(Database, name, "Database")
    return made


def _life(workers: tuple[str, ...], *more: str) -> list[str]:
    starts = [f"{name} start" for name in workers]
    stops = [f"{name} stop" for name in reversed(workers)]
    return [
        "Database upgrade",
        "Database claim",
        *more,
        *starts,
        *stops,
        "ChartService close",
        "Database close",
    ]


def _once(calls: list[str]) -> list[str]:
    """Without repeats: a worker's own `start` may call that of the class below it."""
    return list(dict.fromkeys(calls))


def test_without_channels_only_the_way_to_an_alert_is_started(
    settings: Settings, classifier: SentimentClassifier, calls: list[str]
) -> None:
    with TestClient(create_app(settings, classifier=classifier)) as client:
        assert all(client.get("/readyz").json()["workers"].values())
    assert _once(calls) == _life(ALWAYS)


def test_with_channels_everything_is_started_and_stopped_in_reverse(
    with_channels: Settings, classifier: SentimentClassifier, calls: list[str]
) -> None:
    with TestClient(create_app(with_channels, classifier=classifier)) as client:
        workers = client.get("/readyz").json()["workers"]
    assert all(workers.values())
    assert set(workers) == {
        *("group_commit", "model", "pipeline", "sources"),
        *("dispatcher", "unmute_notifier", "escalator", "digest_scheduler"),
    }
    assert _once(calls) == _life(WITH_CHANNELS, "ChartService warm_up")


def test_no_thread_outlives_the_app(settings: Settings, classifier: SentimentClassifier) -> None:
    before = set(threading.enumerate())
    with TestClient(create_app(settings, classifier=classifier)):
        pass
    assert not [one for one in threading.enumerate() if one not in before and not one.daemon]


def test_the_clock_is_the_machines_unless_one_is_given(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock
) -> None:
    with TestClient(create_app(settings, classifier=classifier)) as client:
        assert isinstance(client.app.state.service.clock, SystemClock)  # type: ignore[attr-defined]
    with TestClient(create_app(settings, classifier=classifier, clock=clock)) as client:
        assert client.app.state.service.clock is clock  # type: ignore[attr-defined]


def test_what_waits_is_measured(client: TestClient, item: Callable[..., dict[str, Any]]) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]
    client.post("/v1/comments", json=item())
    wait_until_processed(client)
    queue = service.batcher._queues[Priority.LOW]
    service.group_commit._waiting, queue.pending = 3, 4
    lines = client.get("/metrics").text.splitlines()
    service.group_commit._waiting, queue.pending = 0, 0
    assert "groundswell_log_queue_comments 3.0" in lines
    assert "groundswell_score_queue_texts 4.0" in lines
    assert any(line.startswith("groundswell_model_batch_seconds_count") for line in lines)
    assert any(line.startswith("groundswell_http_request_seconds_count{") for line in lines)


@pytest.mark.parametrize(
    "path",
    [
        *("/healthz", "/readyz", "/metrics", "/v1/status", "/v1/kols", "/v1/alerts"),
        *("/v1/deliveries", "/v1/silences", "/v1/feedback", "/v1/routing", "/docs"),
    ],
)
def test_every_part_of_the_api_answers(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_the_root_leads_to_the_documentation_and_is_no_part_of_the_api(client: TestClient) -> None:
    assert client.get("/", follow_redirects=False).headers["location"] == "/docs"
    assert "/" not in client.get("/openapi.json").json()["paths"]


def test_the_pages_are_there_and_errors_are_problems(client: TestClient) -> None:
    page = client.get("/alerts/none")
    assert (page.status_code, page.headers["content-type"][:9]) == (404, "text/html")
    missing = client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_only_a_setting_changes_the_policy(settings: Settings) -> None:
    assert policy_of(settings).sensitivity == 1.0
    changed = settings.model_copy(update={"sensitivity": 0.25})
    assert policy_of(changed).sensitivity == 0.25
    assert policy_of(changed).hold == timedelta(minutes=30)


def test_the_lag_of_event_time_is_that_of_the_newest_comment(
    client: TestClient, item: Callable[..., dict[str, Any]]
) -> None:
    ages = (timedelta(minutes=7), timedelta(minutes=2), timedelta(minutes=5))
    client.post("/v1/comments", json=[item(created_at=(NOW - age).isoformat()) for age in ages])
    wait_until_processed(client)
    lines = client.get("/metrics").text.splitlines()
    assert "groundswell_event_time_lag_seconds 120.0" in lines
