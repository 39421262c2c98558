"""Comments, authors and KOLs that are deleted on purpose: nothing of them is left to read, what was
counted stays, and a rebuild gives the same alerts.
"""

import asyncio
import json
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.pipeline.eraser import Eraser
from serving.settings import Settings
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
from serving.storage.erasure_record import Erasure, ErasureKind, ErasurePhase
from serving.storage.erasure_store import ErasureStore
from serving.storage.step_store import StepStore
from serving.storage.tables import comment_versions, comments, erasures
from tests.serving.conftest import NewUrl
from tests.serving.final_state import final
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.streams import storm, wait_until_processed

START = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = "unmistakable words that only one person writes"
Item = Callable[..., dict[str, Any]]


def stream() -> list[dict[str, Any]]:
    """A storm to which one author adds copies of a text, and others near-copies of it."""
    items = storm("lena", START)
    stormy = [item for item in items if item["text"].startswith(("terrible", "this is", "awful"))]
    for number, item in enumerate(stormy[-120:]):
        if number % 3 == 0:
            item["author_id"] = "mallory"
            item["text"] = f"{SECRET}, I hate it {number}"
        elif number % 7 == 0:
            item["text"] = f"{SECRET}, I hate it, really {number}"
    return items


@pytest.fixture
async def world(new_url: NewUrl) -> AsyncIterator[PipelineWorld]:
    database = Database(new_url())
    world = PipelineWorld(database, TestClock(START + timedelta(days=2)))
    await world.receive(stream())
    await process_all(world.pipeline())
    yield world
    await database.close()


async def erase(world: PipelineWorld, kind: ErasureKind, *subject: str) -> Erasure:
    store = ErasureStore(world.database)
    erasure = await store.begin(kind, subject, "tess", world.clock.now())
    return await Eraser(store, world.pipeline(), world.clock).carry_out(erasure)


def figures(found: dict[str, Any]) -> Any:
    """What is derived, without words and samples."""
    for name, place in (("alerts", 7), ("events", 5)):
        for row in found[name]:
            assert row[place].drivers is not None
        found[name] = [
            (*row[:place], row[place].comments, row[place].negative_share) for row in found[name]
        ]
    return found


async def rebuilt(world: PipelineWorld) -> Any:
    await StepStore(world.database).clear_derived()
    await process_all(world.pipeline())
    return figures(await final(world.database))


@pytest.mark.parametrize(
    ("kind", "subject"), [(ErasureKind.AUTHOR, "mallory"), (ErasureKind.KOL, "lena")]
)
async def test_what_was_counted_stays_also_after_a_rebuild(
    world: PipelineWorld, kind: ErasureKind, subject: str
) -> None:
    expected = figures(await final(world.database))
    assert expected["alerts"]
    done = await erase(world, kind, subject)
    assert done.comments >= 40
    assert done.samples > 0
    assert figures(await final(world.database)) == expected
    assert await rebuilt(world) == expected


async def test_comments_that_expire_leave_what_was_counted(world: PipelineWorld) -> None:
    expected = figures(await final(world.database))
    store, now = ErasureStore(world.database), world.clock.now()
    reached = await world.log.last_seq()
    assert await store.expire(now, now, up_to=reached) == 0  # they were received at this instant
    later = now + timedelta(days=1)
    counts = []
    while count := await store.expire(later, later, up_to=reached):
        counts.append(count)
    assert sum(counts) == len(stream())
    assert max(counts) <= 200
    async with world.database.read() as connection:
        rows = (await connection.execute(select(comments.c.text, comments.c.author_id))).all()
    assert {row.text for row in rows} == {""}
    assert all(row.author_id.startswith("erased-") for row in rows)
    assert await rebuilt(world) == expected


async def test_comments_expire_only_after_they_were_processed(new_url: NewUrl) -> None:
    world = PipelineWorld(Database(new_url()), TestClock(START + timedelta(days=2)))
    await world.receive(stream()[:10])
    later = world.clock.now() + timedelta(days=1)
    store, pipeline = ErasureStore(world.database), world.pipeline()
    assert await store.expire(later, later, up_to=pipeline.saved_up_to) == 0
    await process_all(pipeline)
    assert await store.expire(later, later, up_to=pipeline.saved_up_to) == 10
    await world.database.close()


async def test_an_author_is_one_person_under_a_pseudonym(world: PipelineWorld) -> None:
    await erase(world, ErasureKind.AUTHOR, "mallory")
    async with world.database.read() as connection:
        erased = select(comments.c.author_id).where(comments.c.erased.is_not(None))
        names = set((await connection.execute(erased)).scalars())
        row = (await connection.execute(select(erasures))).one()
    assert len(names) == 1
    assert names != {"mallory"}
    assert (row.subject, row.secret, row.phase) == (None, None, "done")


async def test_an_erasure_that_was_interrupted_is_finished(world: PipelineWorld) -> None:
    store = ErasureStore(world.database)
    erasure = await store.begin(ErasureKind.AUTHOR, ["mallory"], "tess", world.clock.now())
    await store.advance(erasure, world.clock.now())
    (left,) = await store.unfinished()
    assert left.phase is not ErasurePhase.DONE
    assert await Eraser(store, world.pipeline(), world.clock).finish() == 1
    assert await store.unfinished() == []
    async with world.database.read() as connection:
        named = select(comments.c.seq).where(comments.c.author_id == "mallory")
        assert (await connection.execute(named)).first() is None


async def test_an_edit_that_was_not_processed_goes_with_the_comment(world: PipelineWorld) -> None:
    item = stream()[-1]
    await world.receive([item | {"text": "I hate it now", "edited_at": item["created_at"]}])
    before = figures(await final(world.database))
    await erase(world, ErasureKind.COMMENT, item["comment_id"])
    pipeline = world.pipeline()
    await pipeline.start()
    await pipeline.stop()
    await process_all(pipeline)
    assert figures(await final(world.database)) == before
    async with world.database.read() as connection:
        assert (await connection.execute(select(comment_versions))).first() is None


@pytest.fixture
def path(settings: Settings) -> str:
    return settings.database_url.removeprefix("sqlite:///")


def contents(path: str) -> bytes:
    """All that a copy of the database holds."""
    source, copy = sqlite3.connect(path), sqlite3.connect(":memory:")
    source.backup(copy)
    copy.execute("VACUUM")
    found = copy.serialize()
    source.close()
    copy.close()
    return found


def test_nothing_of_an_author_is_left_in_the_database(client: TestClient, path: str) -> None:
    items = [item | {"text": item["text"] + " hate hate"} for item in stream()]
    for first in range(0, len(items), 500):
        answer = client.post("/v1/comments", json=items[first : first + 500])
        assert answer.json()["rejected"] == 0
    wait_until_processed(client)
    exported = client.get("/v1/authors/mallory/export").text.splitlines()
    assert {json.loads(line)["type"] for line in exported} == {"comment", "sample"}
    for item in stream():
        if SECRET in item["text"] and item["author_id"] != "mallory":
            answer = client.delete(f"/v1/comments/instagram/{item['comment_id']}")
            assert answer.json()["comments"] == 1
    answer = client.delete("/v1/authors/mallory")
    assert answer.status_code == 200
    assert answer.json()["comments"] == 40
    assert b"mallory" not in contents(path)
    assert SECRET.encode() not in contents(path)
    assert client.get("/v1/authors/mallory/export").text == ""


def test_a_comment_that_was_erased_does_not_come_back(client: TestClient, item: Item) -> None:
    sent = item(author_id="ann", text="my phone number is 555 0100")
    client.post("/v1/comments", json=sent)
    wait_until_processed(client)
    assert client.delete("/v1/comments/instagram/c1").status_code == 200
    assert client.delete("/v1/comments/instagram/c1").status_code == 404
    assert client.get("/v1/comments/instagram/c1").status_code == 404
    assert client.get("/v1/kols/lena/comments").json()["items"] == []
    for again in (sent, sent | {"text": "other"}, sent | {"deleted": True}):
        assert client.post("/v1/comments", json=[again, again]).json()["duplicates"] == 2
    assert client.get("/v1/comments/instagram/c1").status_code == 404
    moods = client.get("/v1/kols/lena/mood", params={"since": "2026-03-09T00:00:00Z"}).json()
    assert sum(point["comments"] for point in moods["points"]) == 1


def test_what_is_stored_about_an_author_is_exported(client: TestClient) -> None:
    items = [item | {"text": item["text"] + " hate hate"} for item in stream()]
    for first in range(0, len(items), 500):
        client.post("/v1/comments", json=items[first : first + 500])
    mine = [item for item in items if item["author_id"] == "mallory"]
    edited = mine[0] | {"text": "changed", "edited_at": "2026-03-02T00:00:00Z"}
    client.post("/v1/comments", json=edited)
    wait_until_processed(client)
    answer = client.get("/v1/authors/mallory/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    found = [line for line in lines if line["type"] == "comment"]
    assert {line["comment_id"] for line in found} == {item["comment_id"] for item in mine}
    assert [line["versions"][0]["text"] for line in found if line["versions"]] == [mine[0]["text"]]
    assert all(line["negative"] is not None for line in found)
    samples = [line for line in lines if line["type"] == "sample"]
    assert samples
    assert {line["author_id"] for line in samples} == {"mallory"}
    assert client.get("/v1/authors/mallory/export?platform=tiktok").text == ""


def test_a_kol_that_was_deleted(client: TestClient, item: Item, path: str) -> None:
    profile = {"name": "Lena Vu", "handles": {"instagram": "lenavu"}, "followers": 12000}
    client.put("/v1/kols/lena", json=profile)
    client.put("/v1/kols/mina", json={"name": "Mina"})
    post = {"platform": "instagram", "post_id": "p1", "kols": ["lena"], "text": "my new shop"}
    joint = post | {"post_id": "p2", "kols": ["lena", "mina"], "text": "our new shop"}
    client.post("/v1/posts", json=[post, joint])
    client.post("/v1/comments", json=[item(), item(kol_id="mina")])
    wait_until_processed(client)
    answer = client.delete("/v1/kols/lena")
    assert (answer.status_code, answer.json()["comments"]) == (200, 1)
    assert [kol["kol_id"] for kol in client.get("/v1/kols").json()["items"]] == ["mina"]
    for gone in (b"Lena Vu", b"lenavu", b"my new shop"):
        assert gone not in contents(path)
    assert client.get("/v1/posts/instagram/p2").json()["text"] == "our new shop"
    refused = client.post("/v1/comments", json=[item(), item(kol_id="mina")]).json()
    assert [entry["status"] for entry in refused["items"]] == ["rejected", "accepted"]
    assert refused["items"][0]["error"]["code"] == "deleted_kol"
    assert client.put("/v1/kols/lena", json={"name": "Lena again"}).status_code == 200
    assert client.post("/v1/comments", json=item()).json()["accepted"] == 1
    assert client.delete("/v1/kols/nobody").status_code == 404


def test_a_comment_that_waits_for_its_commit_goes_with_its_kol(
    client: TestClient, item: Item, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.put("/v1/kols/lena", json={})
    append, waiting = CommentLog.append_entries, threading.Event()

    async def slow(self: CommentLog, *given: Any) -> Any:
        waiting.set()
        await asyncio.sleep(0.5)
        return await append(self, *given)

    monkeypatch.setattr(CommentLog, "append_entries", slow)
    sender = threading.Thread(
        target=client.post, args=("/v1/comments",), kwargs={"json": item(text=SECRET)}
    )
    sender.start()
    assert waiting.wait(10)
    assert client.delete("/v1/kols/lena").json()["comments"] == 1
    sender.join(10)
    assert SECRET.encode() not in contents(path)


@pytest.fixture
def restarted(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock
) -> Callable[..., Iterator[TestClient]]:
    def run(**change: Any) -> TestClient:
        app = create_app(settings.model_copy(update=change), classifier=classifier, clock=clock)
        return TestClient(app, raise_server_exceptions=False)

    return run


def test_a_deleted_kol_stays_deleted_after_a_restart(restarted: Any, item: Item) -> None:
    with restarted() as client:
        client.post("/v1/comments", json=item())
        wait_until_processed(client)
        assert client.delete("/v1/kols/lena").status_code == 200
    with restarted() as client:
        refused = client.post("/v1/comments", json=[item(), item(kol_id="mina")]).json()
        assert refused["items"][0]["error"]["code"] == "deleted_kol"


def test_comments_expire_in_the_background(
    restarted: Any, item: Item, clock: TestClock, path: str
) -> None:
    with restarted() as client:
        client.post("/v1/comments", json=item(text=SECRET, author_id="mallory"))
        wait_until_processed(client)
    clock.advance(timedelta(days=31))
    with restarted(retain_comments_days=30) as client:
        for _ in range(200):
            if 'groundswell_expired_total{table="comments"} 1.0' in client.get("/metrics").text:
                break
            client.get("/healthz")
        client.post("/v1/comments", json=item(text="young", created_at=clock.now().isoformat()))
        assert SECRET.encode() not in contents(path)
        assert b"mallory" not in contents(path)
        assert [c["text"] for c in client.get("/v1/kols/lena/comments").json()["items"]] == [
            "young"
        ]
