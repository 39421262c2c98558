"""GET /v1/alerts/{id}/chart.png, and the charts of a real storm in the store."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from prometheus_client import CollectorRegistry

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.charts.chart_service import ChartService
from serving.clock import TestClock
from serving.errors import TooBusy
from serving.locales.wording import wording
from serving.metrics import Metrics
from serving.notify.channels.base import Unavailable
from serving.notify.stored_attachments import StoredAttachments
from serving.service import Service
from serving.settings import Settings
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import notification
from tests.serving.streams import storm, wait_until_processed

BEGAN = NOW - timedelta(hours=10)
METRICS = Metrics(CollectorRegistry(), max_kols=1)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("charts") / "storm.db"
    app = create_app(
        Settings(database_url=f"sqlite:///{path}", _env_file=None),
        classifier=SentimentClassifier.from_backend(FakeBackend()),
        clock=TestClock(NOW),
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        client.put("/v1/kols/lena", json={"name": "Lena Vane"})
        items = storm("lena", BEGAN - timedelta(hours=20))
        for first in range(0, len(items), 500):
            client.post("/v1/comments", json=items[first : first + 500])
        wait_until_processed(client)
        yield client


@pytest.fixture(scope="module")
def alert(client: TestClient) -> dict[str, Any]:
    listed = client.get("/v1/alerts").json()["items"]
    found: dict[str, Any] = client.get(f"/v1/alerts/{listed[-1]['alert_id']}").json()
    return found


def service_of(client: TestClient) -> Service:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    return service


def test_the_chart_is_a_png_that_is_not_drawn_twice(
    client: TestClient, alert: dict[str, Any]
) -> None:
    path = f"/v1/alerts/{alert['alert_id']}/chart.png"
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "private, max-age=30"
    assert Image.open(BytesIO(answer.content)).size == (1080, 660)
    same = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    other = client.get(
        path,
        params={"language": "vi", "timezone": "Asia/Ho_Chi_Minh"},
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert other.status_code == 200
    assert other.content != answer.content


@pytest.mark.parametrize(
    ("path", "query", "status", "field"),
    [
        ("none", {}, 404, None),
        (None, {"language": "tlh"}, 422, "language"),
        (None, {"timezone": "Mars/Olympus"}, 422, "timezone"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    client: TestClient,
    alert: dict[str, Any],
    path: str | None,
    query: dict[str, str],
    status: int,
    field: str | None,
) -> None:
    answer = client.get(f"/v1/alerts/{path or alert['alert_id']}/chart.png", params=query)
    assert answer.status_code == status
    assert answer.json().get("field") == field


def test_the_chart_holds_the_storm_and_its_marks(client: TestClient, alert: dict[str, Any]) -> None:
    service = service_of(client)
    whole = anyio.run(service.charts.chart_of, alert["alert_id"])
    assert (whole.name, whole.step) == ("Lena Vane", timedelta(minutes=5))
    assert [mark.reason for mark in whole.marks] == [
        "began", *(event["reason"] for event in alert["events"]),
    ]  # fmt: skip
    assert sum(step.comments for step in whole.bins) >= 200
    assert all(step.expected is not None for step in whole.bins)
    opened = whole.marks[1].at
    early = anyio.run(service.charts.chart_of, alert["alert_id"], opened)
    assert [mark.reason for mark in early.marks] == ["began", "opened"]
    assert early.bins == whole.bins[: len(early.bins)] or early.bins[-1].start < opened
    assert early.bins[-1].start < opened


def test_charts_wait_in_a_line_that_has_an_end(
    client: TestClient, alert: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    chart_service = service_of(client).charts
    monkeypatch.setattr(chart_service, "_waiting", 8)
    answer = client.get(f"/v1/alerts/{alert['alert_id']}/chart.png")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_busy")
    assert answer.headers["retry-after"] == "2"


class _Full(ChartService):
    def __init__(self) -> None: ...

    async def chart_of(self, alert_id: str, until: object = None) -> Any:
        raise TooBusy("full", retry_after=2)


async def test_a_message_waits_for_a_busy_chart_service() -> None:
    with pytest.raises(Unavailable, match="full"):
        await StoredAttachments(_Full(), METRICS, seconds=5).of(notification(), wording())


class _Asked(ChartService):
    """Says up to when a chart was asked for."""

    def __init__(self) -> None:
        self.until: list[object] = []

    async def chart_of(self, alert_id: str, until: object = None) -> Any:
        self.until.append(until)

    async def draw(self, chart: object, words: object) -> bytes:
        return b"png"


async def test_a_message_has_the_chart_up_to_its_transition_and_whole_if_it_was_found_late() -> (
    None
):
    charts = _Asked()
    for change in ({}, {"step": 1}, {"found_at": NOW}):
        sent = notification(**change)
        assert await StoredAttachments(charts, METRICS, seconds=5).of(sent, wording()) == b"png"
    assert charts.until == [sent.at, None, None]


def test_a_message_goes_without_the_chart_of_an_alert_that_is_not_there(
    client: TestClient,
) -> None:
    attachments = StoredAttachments(service_of(client).charts, METRICS, seconds=5)
    assert anyio.run(attachments.of, notification(), wording()) is None
