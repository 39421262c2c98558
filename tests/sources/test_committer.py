"""A batch into the log: whose it is, in how many transactions, and what a limited source may."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.clock import TestClock
from serving.ingest.intake import Receipt
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.sources.committer import SourceCommitter
from serving.sources.source_batch import (
    SourceBatch,
    SourceComment,
    SourceFollowers,
    SourcePost,
    SourceRemoval,
)
from serving.storage.comment_update import CommentOutcome
from serving.storage.kol_store import KnownKols
from serving.storage.post_record import PostCounts
from serving.storage.source_record import SourceRecord, SourceStep

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
RECORD = SourceRecord("s1", "toy", "Robot", "lena", "toy", {}, None, "t", 3, None, "mai", NOW)


class TakenItems:
    """Takes the place of the intake and of the KOLs."""

    def __init__(self) -> None:
        self.taken: list[tuple[KolLimit, list[Any], SourceStep]] = []

    def intake(self, allowed: KolLimit) -> Any:
        log = self

        class Taking:
            async def take(self, items: Any, *, wait: bool, step: SourceStep) -> list[Receipt]:
                log.taken.append((allowed, list(items.values()), step))
                return [Receipt(i, item, CommentOutcome.ACCEPTED) for i, item in items.items()]

        return Taking()

    async def known(self, _ids: Any, handles: Any) -> KnownKols:
        owned = {("toy", "mina"): "mina", ("toy", "gone"): "gone"}
        return KnownKols(handles={key: owned[key] for key in handles if key in owned})


@pytest.fixture
def log() -> TakenItems:
    return TakenItems()


def committer(log: TakenItems) -> SourceCommitter:
    return SourceCommitter(log.intake, log, TestClock(NOW), lambda: {"gone"})  # type: ignore[arg-type]


def comment(number: int, **more: Any) -> SourceComment:
    return SourceComment(str(number), "hi", NOW - timedelta(minutes=1), **more)


async def test_many_comments_are_several_transactions_and_the_cursor_is_in_the_last(
    log: TakenItems,
) -> None:
    batch = SourceBatch([comment(n) for n in range(2500)], removals=[SourceRemoval("x", NOW)])
    result = await committer(log).commit(RECORD, batch, {"poll": 1})
    assert [len(items) for _, items, _ in log.taken] == [1000, 1000, 500]
    assert [step.cursor for *_, step in log.taken] == [None, None, {"poll": 1}]
    assert [len(step.removals) for *_, step in log.taken] == [0, 0, 1]
    assert {step.generation for *_, step in log.taken} == {3}
    assert result.accepted == 2500
    await committer(log).commit(RECORD, batch, None, delivery_key="d", whole=True)
    assert len(log.taken[3][1]) == 2500
    assert log.taken[3][2].delivery_hash


async def test_an_empty_batch_moves_the_cursor(log: TakenItems) -> None:
    await committer(log).commit(RECORD, SourceBatch(), {"poll": 2})
    ((_, items, step),) = log.taken
    assert (items, step.cursor) == ([], {"poll": 2})


async def test_each_part_of_a_batch_says_whose_it_is(log: TakenItems) -> None:
    batch = SourceBatch(
        comments=[comment(1), comment(2, handle="mina"), comment(3, kol_id="zoe")],
        posts=[SourcePost("a"), SourcePost("b", handle="@Mina"), SourcePost("c", handle="who")],
        followers=[SourceFollowers(7, NOW, handle="gone"), SourceFollowers(8, NOW)],
        removals=[SourceRemoval("r", NOW + timedelta(days=9), handle="mina")],
    )
    await committer(log).commit(RECORD, batch, None)
    ((allowed, items, step),) = log.taken
    assert allowed is EVERY_KOL
    assert [(one["kol_id"], one["handle"]) for one in items] == [
        ("lena", None),
        (None, "mina"),
        ("zoe", None),
    ]
    assert [sorted(post.kols) for post in step.posts] == [["lena"], ["mina"]]
    assert [(kol_id, one.followers) for kol_id, one in step.followers] == [("lena", 8)]
    assert [(one.kol_id, one.at) for one in step.removals] == [("mina", NOW)]


async def test_a_limited_source_brings_nothing_of_others(log: TakenItems) -> None:
    batch = SourceBatch(
        comments=[comment(1, kol_id="mina")],
        posts=[SourcePost("a", kol_id="mina"), SourcePost("b")],
        followers=[SourceFollowers(7, NOW, handle="mina")],
    )
    await committer(log).commit(replace(RECORD, limited=True), batch, None)
    ((allowed, _, step),) = log.taken
    assert allowed == KolLimit(frozenset({"lena"}))
    assert [sorted(post.kols) for post in step.posts] == [["lena"]]
    assert (step.followers, step.limited) == ([], True)


async def test_what_a_platform_says_wrongly_of_a_post_is_left_out(log: TakenItems) -> None:
    counts = PostCounts(NOW + timedelta(days=1), likes=-1, comments=5, views=2**70)
    wrong = SourcePost(
        "a\ud800",
        text="x\x00y",
        url="javascript:alert(1)",
        created_at=NOW + timedelta(days=2),
        counts=counts,
    )
    naive = SourcePost("b", created_at=datetime(2026, 1, 1), url="https://x.example/ y")  # noqa: DTZ001
    await committer(log).commit(RECORD, SourceBatch(posts=[wrong, naive, SourcePost(" ")]), None)
    ((*_, step),) = log.taken
    first, second = step.posts
    assert (first.post_id, first.text, first.url) == ("a\ufffd", "x\ufffdy", None)
    assert (first.created_at, second.created_at, second.url) == (None, None, None)
    assert first.counts == (PostCounts(NOW, comments=5),)
