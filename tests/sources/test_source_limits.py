"""What whoever is limited to some KOLs may not do with sources, and where secrets are not sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.settings import Settings

NEWS = {"platform": "forum", "url": "https://forum.example.com/a", "token": "t0ken-of-the-forum"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'limits.db'}",
        access="keys",
        source_key_file=tmp_path / "source.key",
        admin_key_file=tmp_path / "admin.key",
        watched_folders=(tmp_path,),
        _env_file=None,
    )
    app = create_app(settings, classifier=SentimentClassifier.from_backend(FakeBackend()))
    with TestClient(app) as client:
        admin = (tmp_path / "admin.key").read_text().strip()
        client.headers["Authorization"] = f"Bearer {admin}"
        yield client


def limited(client: TestClient) -> dict[str, str]:
    """Headers of a key that may manage one KOL."""
    client.put("/v1/kols/lena", json={"name": "Lena"}).raise_for_status()
    body = {"name": "lena's", "scopes": ["read", "manage"], "kols": ["lena"]}
    made = client.post("/v1/keys", json=body)
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['key']}"}


def draft(source_type: str, **settings: Any) -> dict[str, Any]:
    return {"type": source_type, "name": "one", "kol_id": "lena", "settings": settings}


@pytest.mark.parametrize("path", ["/v1/sources", "/v1/sources/preview"])
def test_limited_keys_name_no_secret_of_the_service_and_watch_no_folder(
    client: TestClient, tmp_path: Path, path: str
) -> None:
    headers = limited(client)
    for token in ("file:youtube", "env:GROUNDSWELL_SOURCE_YOUTUBE"):
        body = draft("json_api", **{**NEWS, "token": token})
        answer = client.post(path, json=body, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["field"] == "settings.token"
    answer = client.post(path, json=draft("folder", path=str(tmp_path)), headers=headers)
    assert answer.status_code == 422
    assert answer.json()["field"] == "type"


def test_a_secret_is_entered_again_if_the_address_changes(client: TestClient) -> None:
    client.put("/v1/kols/lena", json={"name": "Lena"}).raise_for_status()
    source = client.post("/v1/sources", json=draft("json_api", **NEWS)).json()["source_id"]
    moved = {"url": "https://other.example.com/a"}
    answer = client.patch(f"/v1/sources/{source}", json={"settings": moved})
    assert answer.status_code == 422
    assert answer.json()["field"] == "settings.token"
    for changed in (moved | {"token": "t0ken-of-the-other"}, {"requests_a_day": 7}):
        answer = client.patch(f"/v1/sources/{source}", json={"settings": changed})
        assert answer.status_code == 200, answer.text


def test_a_lost_key_is_mended_by_entering_the_secrets(client: TestClient, tmp_path: Path) -> None:
    client.put("/v1/kols/lena", json={"name": "Lena"}).raise_for_status()
    source = client.post("/v1/sources", json=draft("json_api", **NEWS)).json()["source_id"]
    (tmp_path / "source.key").unlink()
    body = {"settings": {"token": "t0ken-of-the-forum-2"}}
    answer = client.patch(f"/v1/sources/{source}", json=body)
    assert answer.status_code == 200, answer.text
