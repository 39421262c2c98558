"""A running service on a fake model and a SQLite file of its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from serving.storage.database import Database
from tests.serving.streams import wait_until_worked_off

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows; making one takes half a second."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    Database(f"sqlite:///{path}").upgrade()
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'test.db'}", _env_file=None)


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
def classifier() -> SentimentClassifier:
    return SentimentClassifier.from_backend(FakeBackend())


@pytest.fixture
def client(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock
) -> Iterator[TestClient]:
    app = create_app(settings, classifier=classifier, clock=clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def item() -> Callable[..., dict[str, Any]]:
    """Makes a comment as a client would send it; each call gets an id of its own."""
    count = 0

    def make(**change: Any) -> dict[str, Any]:
        nonlocal count
        count += 1
        return {
            "platform": "instagram",
            "comment_id": f"c{count}",
            "kol_id": "lena",
            "text": "love it",
            "created_at": (NOW - timedelta(hours=1) + timedelta(seconds=count)).isoformat(),
        } | change

    return make


@pytest.fixture
def worked_off(client: TestClient) -> Callable[[], None]:
    """Waits until the pipeline has taken everything that was sent."""
    return lambda: wait_until_worked_off(client)
