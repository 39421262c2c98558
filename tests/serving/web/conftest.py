"""A service in the middle of a storm."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.conftest import NOW
from tests.serving.streams import storm, wait_until_processed

HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> & \"quotes\" 'single' {{ 7*7 }}"


def befall(client: httpx.Client, start: datetime) -> dict[str, Any]:
    """Lena Vane's storm up to its 40th minute; returns the alert, which is open."""
    client.put("/v1/kols/lena", json={"name": "Lena Vane"})
    end = (start + timedelta(hours=20, minutes=40)).isoformat()
    items = [item for item in storm("lena", start) if item["created_at"] < end]
    for first in range(0, len(items), 500):
        client.post("/v1/comments", json=items[first : first + 500])
    wait_until_processed(client)
    (alert,) = client.get("/v1/alerts", params={"state": "open"}).json()["items"]
    found: dict[str, Any] = alert
    return found


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("pages") / "pages.db"
    settings = Settings(
        database_url=f"sqlite:///{path}", public_url="https://pr.example.com/gs", _env_file=None
    )
    classifier = SentimentClassifier.from_backend(FakeBackend())
    app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        befall(client, NOW - timedelta(days=2))
        yield client


@pytest.fixture
def alert(stormy: TestClient) -> Iterator[dict[str, Any]]:
    """The alert; what a test did to it is taken back."""
    (found,) = stormy.get("/v1/alerts", params={"state": "open"}).json()["items"]
    yield found
    for verb in ("unacknowledge", "unsnooze", "reopen"):
        body = {"action": verb, "actor": "test"}
        assert stormy.post(f"/v1/alerts/{found['alert_id']}/actions", json=body).status_code == 200
    stormy.cookies.clear()


@pytest.fixture
def send(stormy: TestClient, alert: dict[str, Any]) -> Callable[..., httpx.Response]:
    """Sends the page's form as a browser does."""

    def post(headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        own = {"sec-fetch-site": "same-origin"} if headers is None else headers
        return stormy.post(f"/alerts/{alert['alert_id']}", data=fields, headers=own)

    return post


@pytest.fixture
def work(stormy: TestClient, alert: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """The triage status of the alert."""

    def ask() -> dict[str, Any]:
        found: dict[str, Any] = stormy.get(f"/v1/alerts/{alert['alert_id']}").json()
        return found

    return ask
