"""A service that needs keys, and its admin key."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings

MakeKey = Callable[..., dict[str, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'test.db'}", access="keys", _env_file=None)


@pytest.fixture
def anybody(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock
) -> Iterator[TestClient]:
    """A client without a key."""
    app = create_app(settings, classifier=classifier, clock=clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def admin(anybody: TestClient, tmp_path: Path) -> dict[str, str]:
    """Headers of the admin."""
    return bearer((tmp_path / "groundswell-admin.key").read_text().strip())


@pytest.fixture
def make_key(anybody: TestClient, admin: dict[str, str]) -> MakeKey:
    """Makes a key; returns its headers."""

    def make(*scopes: str, **more: Any) -> dict[str, str]:
        body = {"name": f"tool {len(made)}", "scopes": list(scopes)} | more
        answer = anybody.post("/v1/keys", json=body, headers=admin)
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
        return bearer(answer.json()["key"])

    made: list[dict[str, Any]] = []
    return make


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def id_of(headers: dict[str, str]) -> str:
    """The id of the key in headers."""
    return headers["Authorization"].split("_")[1]
