"""Comments move between streams with what they add to the sums of minutes, whatever is pending."""

from typing import Any

from sqlalchemy import select

from monitoring.events import ScoredComment
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
from serving.storage.moved_comments import Move, move_comments
from serving.storage.pipeline_step import PipelineStep
from serving.storage.step_store import StepStore
from serving.storage.tables import comments, minutes, reruns
from tests.serving.conftest import NOW
from tests.serving.storage.test_comment_outcomes import comment
from tests.serving.storage.test_stores import MINUTE

SCORES = {"a": 0.9, "b": 0.25, "c": 0.0000005, "d": 0.5, "e": 0.125, "f": 0.75}


def scored(text: str, **change: Any) -> ScoredComment:
    negative = SCORES[text[0]]
    return ScoredComment(comment(text, **change), negative, 0.0, 1 - negative, None)


async def rows(database: Database, table: Any, *names: str) -> list[tuple[Any, ...]]:
    columns = [table.c[name] for name in names]
    async with database.read() as connection:
        found = await connection.execute(select(*columns).order_by(*columns))
        return [tuple(row) for row in found]


async def sums(database: Database) -> list[tuple[Any, ...]]:
    return await rows(database, minutes, "kol_id", "start", "comments", "negative", "removed")


async def test_what_is_pending_is_counted_where_the_comment_has_gone(database: Database) -> None:
    log, steps = CommentLog(database), StepStore(database)
    texts = dict(zip("123456", "abcdef", strict=True))

    def sent(name: str, text: str, **change: Any) -> Any:
        return comment(text, comment_id=name, created_at=NOW + int(name) % 2 * MINUTE, **change)

    await log.append([sent(name, text) for name, text in texts.items()], NOW)
    places = {one.comment.comment_id: one.seq for one in await log.after(0, 9)}

    async def commit(**step: Any) -> None:
        await steps.commit(PipelineStep(model="m", **step), await steps.progress())

    await commit(
        seq=places["5"],
        scored=[(places[n], scored(t, comment_id=n, created_at=sent(n, t).created_at))
                for n, t in texts.items() if n != "6"],
    )  # fmt: skip
    # Removed and edited; the pipeline has seen only the first of each.
    await log.append([sent("1", "", removed=True), sent("2", "bb")], NOW)
    first, second = await log.changes_after(0, 9)
    again = scored("bb", comment_id="2", created_at=NOW)
    await commit(
        seq=places["5"],
        withdrawn=[first.seq],
        rescored=[(second.seq, again)],
        comment_change=second.change_id,
    )
    unseen = sent("7", "", removed=True)  # nor has the pipeline come to this one
    await log.append([sent("3", "", removed=True), sent("4", "dd"), unseen], NOW)
    before = await sums(database)

    async def move(source: str, target: str) -> int:
        async with database.write() as connection:
            return await move_comments(connection, Move(source, target))

    assert await move("lena", "mina") == 7
    assert await sums(database) == [("mina", *row[1:]) for row in before]
    found = await rows(database, comments, "kol_id", "sent_to")
    assert found == [("mina", "lena")] * 7
    minute = int(NOW.timestamp()) // 60
    asked = [("lena", minute, minute + 1), ("mina", minute, minute + 1)]
    assert await rows(database, reruns, "kol_id", "first_minute", "last_minute") == asked

    third, fourth = await log.changes_after(second.change_id, 9)
    await commit(
        seq=places["6"],
        scored=[(places["6"], scored("f", comment_id="6", kol_id="mina"))],
        withdrawn=[third.seq],
        rescored=[(fourth.seq, scored("dd", comment_id="4", kol_id="mina"))],
        comment_change=fourth.change_id,
    )
    start = int(NOW.timestamp()) * 1_000_000
    millionths = {name: round(SCORES[text] * 1_000_000) for name, text in texts.items()}
    assert await sums(database) == [
        ("mina", start, 3, sum(millionths[name] for name in "246"), 0),
        ("mina", start + 60_000_000, 1, millionths["5"], 2),
    ]
    assert await move("mina", "lena") == 7
    assert {row[0] for row in await sums(database)} == {"lena"}
    assert await rows(database, comments, "kol_id", "sent_to") == [("lena", None)] * 7
    assert await move("mina", "lena") == 0
