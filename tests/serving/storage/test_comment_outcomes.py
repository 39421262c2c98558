"""What the log does with comments that are sent again, edited, deleted or shared."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from monitoring.events import Comment
from serving.storage.comment_log import CommentFilter, CommentLog
from serving.storage.comment_update import (
    ChangeKind,
    CommentOutcome,
    CommentUpdate,
    FormerText,
    update_comment,
)
from serving.storage.database import Database
from serving.storage.kol_store import KolStore
from serving.storage.pipeline_step import PipelineStep
from serving.storage.step_store import StepStore
from serving.storage.tables import comment_versions
from tests.serving.conftest import NOW
from tests.serving.storage.test_stores import scored

ACCEPTED, UPDATED, DUPLICATE, _ = CommentOutcome
EDITED, REMOVED = ChangeKind
SECOND = timedelta(seconds=1)
EARLY, LATE = NOW + SECOND, NOW + 2 * SECOND


def comment(text: str = "hi", **change: Any) -> Comment:
    values: dict[str, Any] = {"platform": "x", "comment_id": "c", "kol_id": "lena"}
    return Comment(**values | {"text": text, "created_at": NOW} | change)


GONE = comment("", removed=True)


@pytest.mark.parametrize(
    ("stored", "sent", "expected"),
    [
        (comment(), comment(), CommentUpdate(comment())),
        # texts
        (
            comment("a"),
            comment("b"),
            CommentUpdate(comment("b"), FormerText("a", None), EDITED),
        ),
        (
            comment("a"),
            comment("b", edited_at=EARLY),
            CommentUpdate(comment("b", edited_at=EARLY), FormerText("a", None), EDITED),
        ),
        (
            comment("b", edited_at=EARLY),
            comment("c", edited_at=LATE),
            CommentUpdate(comment("c", edited_at=LATE), FormerText("b", EARLY), EDITED),
        ),
        (
            comment("b", edited_at=LATE),
            comment("a", likes=1),
            CommentUpdate(comment("b", edited_at=LATE), FormerText("a", None)),
        ),
        (
            comment("c", edited_at=LATE),
            comment("b", edited_at=EARLY),
            CommentUpdate(comment("c", edited_at=LATE), FormerText("b", EARLY)),
        ),
        (
            comment("a"),
            comment("a", edited_at=EARLY),
            CommentUpdate(comment("a", edited_at=EARLY)),
        ),
        (  # its text is the newest, so its likes are as well
            comment("a", edited_at=LATE, likes=3),
            comment("a", likes=9),
            CommentUpdate(comment("a", edited_at=LATE, likes=9)),
        ),
        (
            comment("a", edited_at=LATE),
            comment("a"),
            CommentUpdate(comment("a", edited_at=LATE)),
        ),
        # counts and fields
        (comment(likes=2), comment(likes=1), CommentUpdate(comment(likes=1))),
        (comment(likes=2), comment(), CommentUpdate(comment(likes=2))),
        (
            comment(),
            comment(post_id="p", parent_id="q", lang="vi"),
            CommentUpdate(comment(post_id="p", parent_id="q", lang="vi")),
        ),
        (comment(), comment(author_id="a"), CommentUpdate(comment(author_id="a"), change=EDITED)),
        (
            comment(author_id="a", post_id="p", edited_at=LATE),
            comment(author_id="b", parent_id="q", created_at=LATE),
            CommentUpdate(comment(author_id="a", post_id="p", parent_id="q", edited_at=LATE)),
        ),
        # deletions
        (comment(), GONE, CommentUpdate(comment(removed=True), change=REMOVED)),
        (
            comment("a"),
            comment("b", removed=True, likes=3),
            CommentUpdate(comment("b", removed=True, likes=3), FormerText("a", None), REMOVED),
        ),
        (
            comment("b", edited_at=LATE),
            comment("a", removed=True),
            CommentUpdate(
                comment("b", edited_at=LATE, removed=True), FormerText("a", None), REMOVED
            ),
        ),
        (comment(), comment("", removed=True, author_id="[deleted]"),
         CommentUpdate(comment(removed=True), change=REMOVED)),
        (GONE, GONE, CommentUpdate(GONE)),
        (GONE, comment("a"), CommentUpdate(comment("a", removed=True), change=EDITED)),
        (
            comment("a", removed=True),
            comment("b"),
            CommentUpdate(comment("b", removed=True), FormerText("a", None), EDITED),
        ),
        (comment("a", removed=True), GONE, CommentUpdate(comment("a", removed=True))),
    ],
)  # fmt: skip
def test_what_a_comment_changes(stored: Comment, sent: Comment, expected: CommentUpdate) -> None:
    assert update_comment(stored, sent) == expected


async def versions(database: Database) -> list[tuple[str, int | None]]:
    order = comment_versions.c.version_id
    statement = select(comment_versions.c.text, comment_versions.c.edited_at).order_by(order)
    async with database.read() as connection:
        return [(row.text, row.edited_at) for row in await connection.execute(statement)]


async def test_an_edit_is_kept_with_the_text_before_it(database: Database) -> None:
    log = CommentLog(database)
    assert await log.append([comment("a", likes=1)], NOW) == [ACCEPTED]
    later = NOW + timedelta(minutes=5)
    assert await log.append([comment("b", edited_at=EARLY)], later) == [UPDATED]
    (logged,) = await log.after(0, 9)
    assert (logged.comment, logged.received_at) == (comment("b", likes=1, edited_at=EARLY), NOW)
    (change,) = await log.changes_after(0, 9)
    assert (change.seq, change.kind, change.at) == (logged.seq, EDITED, later)
    assert change.comment == logged.comment
    assert await log.append([comment("a")], later) == [DUPLICATE]
    assert await log.append([comment("older", edited_at=NOW)], later) == [UPDATED]
    assert await log.append([comment("older", edited_at=NOW)], later) == [DUPLICATE]
    assert [text for text, _ in await versions(database)] == ["a", "older"]
    assert await log.changes_after(change.change_id, 9) == []
    assert (await KolStore(database).get("lena")).duplicates == 2


async def test_texts_sent_in_turn_are_each_kept_once(database: Database) -> None:
    log = CommentLog(database)
    for text in ("a", "b", "a", "b", "a"):
        await log.append([comment(text)], NOW)
    assert [text for text, _ in await versions(database)] == ["a", "b"]
    assert [logged.comment.text for logged in await log.after(0, 9)] == ["a"]


async def test_the_newest_text_wins_in_any_order(database: Database) -> None:
    log = CommentLog(database)
    texts = [("a", None), ("b", EARLY), ("c", LATE)]
    for number, order in enumerate(itertools.permutations(texts)):
        for text, edited_at in order:
            sent = comment(text, edited_at=edited_at, comment_id=str(number))
            assert (await log.append([sent], NOW)) != [DUPLICATE]
    found = await log.after(0, 99)
    assert {logged.comment.text for logged in found} == {"c"}
    assert sorted(text for text, _ in await versions(database)) == ["a"] * 6 + ["b"] * 6


async def test_new_likes_and_fields_are_updates_without_a_change(database: Database) -> None:
    log = CommentLog(database)
    await log.append([comment(likes=1)], NOW)
    assert await log.append([comment(likes=0)], NOW) == [UPDATED]
    assert await log.append([comment(post_id="p", lang="vi")], NOW) == [UPDATED]
    assert await log.append([comment(post_id="other", likes=0)], NOW) == [DUPLICATE]
    (logged,) = await log.after(0, 9)
    assert logged.comment == comment(likes=0, post_id="p", lang="vi")
    assert await log.changes_after(0, 9) == []
    assert await log.append([comment(author_id="ann")], NOW) == [UPDATED]
    assert [change.kind for change in await log.changes_after(0, 9)] == [EDITED]


async def test_what_is_new_is_seen_also_where_the_text_is_the_same(database: Database) -> None:
    log = CommentLog(database)
    await log.append([comment("a")], NOW)
    edited = comment("a", edited_at=EARLY)
    assert await log.append([edited], NOW) == [UPDATED]
    assert await log.append([edited], NOW) == [DUPLICATE]
    assert await log.append([comment("a", edited_at=EARLY, removed=True)], NOW) == [UPDATED]
    (logged,) = await log.after(0, 9)
    assert logged.comment == comment("a", edited_at=EARLY, removed=True)
    assert [change.kind for change in await log.changes_after(0, 9)] == [REMOVED]


async def test_a_removed_comment_is_in_the_log_and_nowhere_else(database: Database) -> None:
    log, steps = CommentLog(database), StepStore(database)
    await log.append([comment("a", comment_id="1"), comment("b", comment_id="2")], NOW)
    places = [logged.seq for logged in await log.after(0, 9)]
    await steps.commit(
        PipelineStep(seq=places[1], model="m", scored=[(seq, scored(0, 0.9)[1]) for seq in places]),
        await steps.progress(),
    )
    removed = comment("", comment_id="1", removed=True)
    assert await log.append([removed, removed], LATE) == [UPDATED, DUPLICATE]
    assert await log.append([removed], LATE + SECOND) == [DUPLICATE]
    assert [logged.removed for logged in await log.after(0, 9)] == [True, False]
    (change,) = await log.changes_after(0, 9)
    assert (change.seq, change.kind, change.at) == (places[0], REMOVED, LATE)
    assert change.comment == comment("a", comment_id="1", removed=True)

    async def page(**wanted: Any) -> list[str]:
        found = await log.page(CommentFilter("lena", **wanted), before=None, limit=9)
        return [one.logged.comment.text for one in found]

    assert await page() == ["b"]
    assert await page(removed=True) == ["a"]
    samples = await log.scored_between("lena", NOW, LATE, up_to_seq=places[1], limit=9)
    assert [one.comment.text for one in samples] == ["b"]


async def test_a_text_that_comes_after_its_deletion_is_kept(database: Database) -> None:
    log = CommentLog(database)
    assert await log.append([GONE], NOW) == [ACCEPTED]
    assert await log.changes_after(0, 9) == []  # nobody had read it
    assert await log.append([comment("a")], LATE) == [UPDATED]
    (logged,) = await log.after(0, 9)
    assert logged.comment == comment("a", removed=True)
    assert [change.comment for change in await log.changes_after(0, 9)] == [logged.comment]
    assert await versions(database) == []


async def test_one_batch_counts_like_many(database: Database) -> None:
    log = CommentLog(database)
    await log.append([comment("old", comment_id="0")], NOW)
    batch = [
        comment("a"),
        comment("new", comment_id="0"),
        comment("a"),
        comment("b"),
        comment("newer", comment_id="0", likes=3),
        GONE,
        comment("newer", comment_id="0"),
    ]
    assert await log.append(batch, NOW) == [
        ACCEPTED, UPDATED, DUPLICATE, UPDATED, UPDATED, UPDATED, DUPLICATE,
    ]  # fmt: skip
    found = {one.comment.comment_id: one.comment for one in await log.after(0, 9)}
    assert found["c"] == comment("b", removed=True)
    assert found["0"] == comment("newer", comment_id="0", likes=3)
    # Whoever reads the log reads the new comment as it is now; only the older one has changed.
    assert [change.comment for change in await log.changes_after(0, 9)] == [found["0"]]
    assert [text for text, _ in await versions(database)] == ["a", "old", "new"]


async def test_a_joint_post_is_in_both_streams(database: Database) -> None:
    log = CommentLog(database)
    both = [comment(), comment(kol_id="mina")]
    assert await log.append(both, NOW) == [ACCEPTED, ACCEPTED]
    assert await log.append([comment("b", kol_id="mina")], NOW) == [UPDATED]
    texts = {one.comment.kol_id: one.comment.text for one in await log.after(0, 9)}
    assert texts == {"lena": "hi", "mina": "b"}


async def test_many_that_were_sent_before(database: Database) -> None:
    log = CommentLog(database)

    def batch(text: str, when: datetime) -> list[Comment]:
        return [
            comment(text, comment_id=str(n), platform=f"p{n % 3}", created_at=when)
            for n in range(1700)
        ]

    await log.append(batch("a", NOW), NOW)
    mixed = [old if n % 2 else new for n, (old, new) in enumerate(
        zip(batch("a", LATE), batch("b", LATE), strict=True)
    )]  # fmt: skip
    assert await log.append(mixed, NOW) == [UPDATED, DUPLICATE] * 850
    assert len(await log.changes_after(0, 2000)) == 850
    assert [one.change_id for one in await log.changes_after(0, 2)] == [1, 2]
