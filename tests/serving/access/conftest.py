"""A service that needs keys, and its admin key."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.access import accounts
from serving.access.passwords import Passwords
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.access.browsing import PASSWORD, BrowserClient

MakeKey = Callable[..., dict[str, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'test.db'}", access="keys", _env_file=None)


@pytest.fixture
def anybody(
    quick: None, settings: Settings, classifier: SentimentClassifier, clock: TestClock
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


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time; test_passwords.py knows those of the product."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(accounts, "Passwords", lambda: Passwords(hasher))


@pytest.fixture
def browser(anybody: TestClient) -> BrowserClient:
    return BrowserClient(anybody, {})


@pytest.fixture
def add(anybody: TestClient, admin: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Adds a person with a password of their own."""

    def make(name: str = "Mai", role: str = "responder", **more: Any) -> dict[str, Any]:
        email = f"{name.lower()}@pr.example"
        body = {"email": email, "name": name, "role": role} | more
        answer = anybody.post("/v1/people", json=body, headers=admin)
        assert answer.status_code == 201, answer.text
        person: dict[str, Any] = answer.json()
        if person["password"] is not None:
            replaced = BrowserClient(anybody, {}).post(
                "/sign-in/password",
                email=email,
                password=person["password"],
                new_password=PASSWORD,
                again=PASSWORD,
            )
            assert replaced.status_code == 303, replaced.text
            anybody.post(f"/v1/people/{email}/sign-out", headers=admin)
        return person

    return make


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def id_of(headers: dict[str, str]) -> str:
    """The id of the key in headers."""
    return headers["Authorization"].split("_")[1]
