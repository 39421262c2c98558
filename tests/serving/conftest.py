"""A running service on a fake model and a SQLite file of its own; databases of both kinds."""

import itertools
import shutil
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
from tests.serving import postgres
from tests.serving.streams import wait_until_processed

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
NewUrl = Callable[[], str]


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows; making one takes half a second."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    Database(f"sqlite:///{path}").upgrade()
    return path


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.PostgresServer]:
    """A PostgreSQL server with a database `empty`, without rows."""
    if postgres.PROGRAMS is None:
        pytest.skip("PostgreSQL is not here: apt-get install postgresql")
    with postgres.serving() as server:
        server.execute("CREATE DATABASE empty")
        Database(server.url("empty")).upgrade()
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    """Makes a database without rows, and gives its URL; of either kind."""
    if request.param == "sqlite":
        path = request.getfixturevalue("empty")
        numbers = itertools.count()
        yield lambda: f"sqlite:///{shutil.copy(path, tmp_path / f'{next(numbers)}.db')}"
        return
    server: postgres.PostgresServer = request.getfixturevalue("server")
    made: list[str] = []

    def make() -> str:
        made.append(server.create("empty"))
        return server.url(made[-1])

    yield make
    for name in made:
        server.drop(name)


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
def processed(client: TestClient) -> Callable[[], None]:
    """Waits until the pipeline has taken everything that was sent."""
    return lambda: wait_until_processed(client)
