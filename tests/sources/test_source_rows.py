"""What a batch of a source writes: with its comments, in one transaction, or not at all."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from monitoring.events import Comment
from serving.errors import StoreError
from serving.storage import comment_log
from serving.storage.comment_log import CommentLog, LogEntry
from serving.storage.comment_update import CommentOutcome
from serving.storage.database import Database
from serving.storage.follower_store import FollowerCount, FollowerStore
from serving.storage.post_record import SentPost
from serving.storage.post_store import PostStore
from serving.storage.source_record import SourceRecord, SourceStep, StoredRemoval
from serving.storage.source_store import SourceStore
from serving.storage.tables import comments
from tests.serving.conftest import NewUrl

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
RECORD = SourceRecord("s1", "toy", "Robot", "lena", "toy", {}, None, "t", 1, None, "mai", NOW)
ACCEPTED, DUPLICATE = CommentOutcome.ACCEPTED, CommentOutcome.DUPLICATE


@pytest.fixture
async def database(new_url: NewUrl) -> AsyncIterator[Database]:
    found = Database(new_url())
    await SourceStore(found).add(RECORD)
    yield found
    await found.close()


def step(**more: Any) -> SourceStep:
    return SourceStep("s1", more.pop("generation", 1), NOW, **more)


def comment(comment_id: str, text: str = "hi", kol_id: str = "lena") -> Comment:
    return Comment("toy", comment_id, kol_id, text, NOW - timedelta(minutes=1))


async def write(database: Database, *sent: Comment, **more: Any) -> list[CommentOutcome]:
    (found,) = await CommentLog(database).append_entries([LogEntry(sent, step(**more))], NOW)
    return found


async def texts(database: Database) -> dict[str, str | None]:
    """The texts of the log by id; None for what was removed."""
    async with database.read() as connection:
        rows = await connection.execute(select(comments))
        return {
            f"{row.kol_id}/{row.comment_id}": None if row.removed_at else row.text for row in rows
        }


async def test_cursor_comments_posts_and_followers_are_committed_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = SentPost("toy", "p1", frozenset({"lena"}), text="New robot")
    counts = [("lena", FollowerCount(NOW, 7))]
    more = {"cursor": {"poll": 1}, "posts": [post], "followers": counts, "rejected": 2}
    assert await write(database, comment("a"), **more) == [ACCEPTED]
    stored = await SourceStore(database).get("s1")
    assert (stored.cursor, stored.accepted, stored.rejected) == ({"poll": 1}, 1, 2)
    assert stored.success_at == stored.comment_at == NOW
    assert (await PostStore(database).get("toy", "p1")).text == "New robot"
    (count,) = await FollowerStore(database).page("lena", before=None, limit=9)
    assert count.followers == 7

    async def fail(*_: Any) -> None:
        raise StoreError("full")

    monkeypatch.setattr(comment_log, "write_step", fail)
    with pytest.raises(StoreError):
        await write(database, comment("b"), cursor={"poll": 2})
    assert set(await texts(database)) == {"lena/a"}
    assert (await SourceStore(database).get("s1")).cursor == {"poll": 1}


async def test_a_cursor_of_former_settings_is_left_alone(database: Database) -> None:
    await SourceStore(database).change(
        "s1",
        name="Robot",
        kol_id="lena",
        platform="toy",
        settings={"x": 1},
        sealed=None,
        limited=False,
        restart=True,
    )
    assert await write(database, comment("a"), cursor={"poll": 9}) == [ACCEPTED]
    assert (await SourceStore(database).get("s1")).cursor is None
    await write(database, generation=2, cursor={"poll": 1})
    assert (await SourceStore(database).get("s1")).cursor == {"poll": 1}


async def test_a_delivery_that_comes_again_changes_nothing(database: Database) -> None:
    assert await write(database, comment("a", "old"), delivery_hash="d1") == [ACCEPTED]
    await write(database, comment("a", "new"), delivery_hash="d2")
    assert await write(database, comment("a", "old"), delivery_hash="d1") == [DUPLICATE]
    assert await texts(database) == {"lena/a": "new"}
    entries = [LogEntry([comment("b")], step(delivery_hash="d3")) for _ in range(2)]
    found = await CommentLog(database).append_entries(entries, NOW)
    assert found == [[ACCEPTED], [DUPLICATE]]


async def test_a_removal_is_of_one_kol_or_of_all(database: Database) -> None:
    both = comment("a"), comment("a", kol_id="mina"), comment("b"), comment("b", kol_id="mina")
    await write(database, *both)
    removals = [StoredRemoval("toy", "a", "lena", NOW), StoredRemoval("toy", "b", None, NOW)]
    await write(database, removals=removals)
    assert await texts(database) == {
        "lena/a": None,
        "mina/a": "hi",
        "lena/b": None,
        "mina/b": None,
    }


async def test_a_removal_before_its_comment_is_remembered(database: Database) -> None:
    unknown = StoredRemoval("toy", "z", None, NOW)
    await write(database, removals=[StoredRemoval("toy", "a", "lena", NOW), unknown])
    await write(database, comment("a"))
    assert await texts(database) == {"lena/a": None}


async def test_a_limited_source_cannot_touch_a_post_of_another_kol(database: Database) -> None:
    theirs = SentPost("toy", "p1", frozenset({"mina"}), text="theirs")
    await PostStore(database).save([theirs], NOW)
    ours = [SentPost("toy", name, frozenset({"lena"}), text="ours") for name in ("p1", "p2")]
    await write(database, posts=ours, limited=True)
    kept = await PostStore(database).get("toy", "p1")
    assert (kept.text, kept.kols) == ("theirs", ("mina",))
    assert (await PostStore(database).get("toy", "p2")).text == "ours"
    await write(database, posts=[ours[1]], limited=True)
    await write(database, posts=ours)
    assert (await PostStore(database).get("toy", "p1")).kols == ("lena", "mina")
