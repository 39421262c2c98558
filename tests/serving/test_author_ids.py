"""Author ids as keyed hashes: nobody can read them, and what is derived is the same."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.errors import StoreError
from serving.settings import Settings
from serving.storage.author_hasher import AuthorHasher, open_author_ids
from serving.storage.author_ids import AuthorIds
from serving.storage.database import Database
from serving.storage.erasure_store import ErasureStore
from serving.storage.tables import alert_events, alerts, comments
from tests.serving.conftest import NOW, NewUrl
from tests.serving.final_state import final
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.streams import storm

START = datetime(2026, 3, 1, tzinfo=UTC)


class HashingWorld(PipelineWorld):
    """A pipeline whose authors are hashed before they are committed."""

    ids = AuthorIds(b"k" * 32)

    async def receive(self, items: list[dict[str, Any]]) -> None:
        await super().receive(
            [item | {"author_id": self.ids.hashed(item["author_id"])} for item in items]
        )


async def test_what_is_derived_is_the_same(new_url: NewUrl) -> None:
    """Counts of authors, brigades, and who is loyal, new or turned."""
    found = []
    for kind in (PipelineWorld, HashingWorld):
        world = kind(Database(new_url()), TestClock(START + timedelta(days=2)))
        await world.receive(storm("lena", START))
        await process_all(world.pipeline())
        found.append(await final(world.database))
        await world.database.close()
    plain, hashed = found
    assert plain["alerts"]
    for name, place in (("alerts", 7), ("events", 5)):
        for one, other in zip(plain[name], hashed[name], strict=True):
            assert one[:place] == other[:place]
            audience = one[place].drivers.audience
            assert audience == other[place].drivers.audience
            assert audience.authors > 5
    assert plain["windows"] == hashed["windows"]


@pytest.fixture
def hashed(settings: Settings, tmp_path: Path) -> Settings:
    key = tmp_path / "author.key"
    return settings.model_copy(update={"author_ids": "hashed", "author_key_file": key})


def service(settings: Settings, classifier: SentimentClassifier) -> TestClient:
    return TestClient(create_app(settings, classifier=classifier, clock=TestClock(NOW)))


Item = Callable[..., dict[str, Any]]


def test_the_id_is_not_in_the_database_and_still_names_the_author(
    hashed: Settings, classifier: SentimentClassifier, item: Item
) -> None:
    with service(hashed, classifier) as client:
        client.post("/v1/comments", json=[item(author_id="mallory"), item(author_id="ann")])
        listed = client.get("/v1/kols/lena/comments?author_id=mallory").json()["items"]
        assert [one["comment_id"] for one in listed] == ["c1"]
        assert listed[0]["author_id"].startswith("hash-")
        (line,) = client.get("/v1/authors/mallory/export").text.splitlines()
        assert json.loads(line)["comment_id"] == "c1"
        for file in Path(hashed.database_url.removeprefix("sqlite:///")).parent.glob("test.db*"):
            assert b"mallory" not in file.read_bytes()
        assert client.delete("/v1/authors/mallory").json()["comments"] == 1
        assert client.get("/v1/authors/mallory/export").text == ""
    assert stat.S_IMODE(hashed.author_key_file.stat().st_mode) == 0o600


def test_another_key_no_key_and_plain_ids_are_refused(
    hashed: Settings, classifier: SentimentClassifier
) -> None:
    with service(hashed, classifier):
        pass
    key = hashed.author_key_file.read_text()
    with service(hashed, classifier):  # the same key is taken
        pass
    hashed.author_key_file.write_text("ab" * 32)
    with pytest.raises(StoreError, match="is not the key"), service(hashed, classifier):
        pass
    hashed.author_key_file.write_text("abab")
    with pytest.raises(StoreError, match="at least 64 hex digits"), service(hashed, classifier):
        pass
    hashed.author_key_file.unlink()
    with pytest.raises(StoreError, match="cannot be read"), service(hashed, classifier):
        pass
    hashed.author_key_file.write_text(key)
    plain = hashed.model_copy(update={"author_ids": "plain"})
    with pytest.raises(StoreError, match="are hashed; set"), service(plain, classifier):
        pass


async def test_ids_from_before_are_hashed_in_steps(new_url: NewUrl, tmp_path: Path) -> None:
    world = PipelineWorld(Database(new_url()), TestClock(START + timedelta(days=2)))
    await world.receive([item | {"author_id": "mallory"} for item in storm("lena", START)])
    await process_all(world.pipeline())
    now = world.clock.now()
    ids = await open_author_ids(world.database, tmp_path / "key", now)
    hasher, steps = AuthorHasher(world.database, ids), 0
    while await hasher.advance(now):
        steps += 1
    assert steps >= 3
    async with world.database.read() as connection:
        names = set((await connection.execute(select(comments.c.author_id))).scalars())
        evidence = [
            json.dumps(row)
            for table in (alerts, alert_events)
            for row in (await connection.execute(select(table.c.evidence))).scalars()
        ]
    assert names == {ids.hashed("mallory")}
    assert any(ids.hashed("mallory") in text for text in evidence)
    assert not any("mallory" in text for text in evidence)
    assert await ErasureStore(world.database).unfinished() == []
    await world.database.close()


def test_a_hash_needs_the_key() -> None:
    one, other = AuthorIds(b"1" * 32), AuthorIds(b"2" * 32)
    assert one.hashed("ann") == one.hashed("ann") != other.hashed("ann")
    assert one.hashed("ann") != one.hashed("Ann")
    assert one.check_value != other.check_value
    assert AuthorIds().forms("ann") == ("ann",)
    assert one.forms("ann") == ("ann", one.hashed("ann"))
