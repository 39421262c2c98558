"""What the stores promise on every database; people's work and the outbox have their own tests."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from monitoring.engine import KolStatus
from monitoring.events import Comment, ScoredComment
from serving.errors import NotFound
from serving.storage.alert_store import AlertFilter, AlertStore
from serving.storage.comment_log import CommentFilter, CommentLog
from serving.storage.comment_update import CommentOutcome
from serving.storage.database import Database
from serving.storage.kol_store import KolProfileRecord, KolStore
from serving.storage.mood_store import MoodStore
from serving.storage.pipeline_step import EngineState, IdleMark, PipelineStep
from serving.storage.step_store import StepStore
from serving.storage.tables import kols
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import transition

MINUTE = timedelta(minutes=1)
NAMES = ["lena", "Lena", "émile", "zoë", "Ánh", "a b", "a-b", "ab", "_", "10", "9", "李娜", "😀"]


STATUS = KolStatus(
    kol_id="lena", watermark=NOW, score=0.1 + 0.2, negative_share=0.1, mood=0.2,
    expected_negative_share=0.1, comments_per_hour=3.0, expected_comments_per_hour=4.0,
    alert_id=None, severity=None, late=1, duplicates=2, learning=True,
)  # fmt: skip


def comment(number: int | str, **change: Any) -> Comment:
    values = {"platform": "x", "comment_id": str(number), "kol_id": "lena", "text": "hi"}
    return Comment(**values | {"created_at": NOW} | change)


def scored(number: int, negative: float = 0.5, **change: Any) -> tuple[int, ScoredComment]:
    return number, ScoredComment(comment(number, **change), negative, 0.1, 0.9 - negative, None)


async def test_the_log_keeps_the_order_of_arrival(database: Database) -> None:
    log = CommentLog(database)
    numbers = list(range(2500))
    random.Random(7).shuffle(numbers)
    for batch in (numbers[:1700], numbers[1700:]):
        outcomes = await log.append([comment(number) for number in batch], NOW)
        assert set(outcomes) == {CommentOutcome.ACCEPTED}
    found = await log.after(0, 3000)
    assert [int(logged.comment.comment_id) for logged in found] == numbers
    places = [logged.seq for logged in found]
    assert places == sorted(set(places))
    assert await log.last_seq() == places[-1]
    assert await log.count_after(places[999]) == 1500
    assert await log.after(places[999], 2) == found[1000:1002]


async def test_a_comment_comes_back_as_it_was_sent(database: Database) -> None:
    odd = comment(
        "C 1",
        text="quote \" ' \\ % :name %(s)s \t\n😀 é e\u0301 \u202e \ufffd",
        created_at=NOW + timedelta(microseconds=1),
        post_id="p",
        author_id="a",
        parent_id="q",
        lang="vi-VN",
        likes=2**53 - 1,
        edited_at=NOW + timedelta(seconds=1),
    )
    log = CommentLog(database)
    assert await log.append([odd], NOW + timedelta(microseconds=999_999)) == ["accepted"]
    (logged,) = await log.after(0, 9)
    assert logged.comment == odd
    assert logged.received_at == NOW + timedelta(microseconds=999_999)


async def test_a_comment_is_one_by_platform_and_id_to_the_letter(database: Database) -> None:
    log = CommentLog(database)
    batch = [comment("a"), comment("A"), comment("a", platform="y"), comment("a"), comment("a ")]
    new, again = CommentOutcome.ACCEPTED, CommentOutcome.DUPLICATE
    assert await log.append(batch, NOW) == [new, new, new, again, new]
    assert await log.append([comment("A"), comment("b"), comment("b")], NOW) == [again, new, again]
    assert len(await log.after(0, 99)) == 5
    assert (await KolStore(database).get("lena")).duplicates == 3


async def test_comments_are_listed_newest_first_with_their_scores(database: Database) -> None:
    log, steps = CommentLog(database), StepStore(database)
    await log.append(
        [comment(n, created_at=NOW + n % 3 * MINUTE, post_id=f"p{n % 2}") for n in range(6)], NOW
    )
    places = [logged.seq for logged in await log.after(0, 9)]
    values = [0.8, 0.1, 0.8, 0.1, 0.8]
    step = PipelineStep(
        seq=places[4],
        model="m",
        scored=[(seq, scored(n, values[n])[1]) for n, seq in enumerate(places[:5])],
    )
    await steps.commit(step, await steps.progress())

    async def page(before: tuple[datetime, int] | None = None, **wanted: Any) -> list[str]:
        found = await log.page(CommentFilter("lena", **wanted), before=before, limit=4)
        return [one.logged.comment.comment_id for one in found]

    assert await page() == ["5", "2", "4", "1"]
    assert await page((NOW + MINUTE, places[1])) == ["3", "0"]
    assert await page(sentiment="negative") == ["2", "4", "0"]
    assert await page(post_id="p1", since=NOW + MINUTE) == ["5", "1"]
    assert await page(until=NOW + MINUTE) == ["3", "0"]
    rows = await log.page(CommentFilter("lena"), before=None, limit=2)
    assert [one.scores and one.scores.negative for one in rows] == [None, 0.8]
    between = await log.scored_between("lena", NOW, NOW + 3 * MINUTE, up_to_seq=places[3], limit=3)
    assert [one.comment.comment_id for one in between] == ["3", "1", "2"]


async def test_names_sort_by_their_bytes(database: Database) -> None:
    store = KolStore(database)
    for name in NAMES:
        await store.put(name, KolProfileRecord(), NOW)
    expected = sorted(NAMES, key=str.encode)
    listed = [kol.kol_id for kol in await store.page(after=None, limit=99)]
    assert listed == expected
    assert [kol.kol_id for kol in await store.page(after="Lena", limit=3)] == expected[
        expected.index("Lena") + 1 :
    ][:3]
    assert await store.count() == len(NAMES)


async def test_a_kol_is_registered_once_and_its_profile_replaced(database: Database) -> None:
    store = KolStore(database)
    await store.put("lena", KolProfileRecord(followers=2**53, handles={"b": "1", "a": "é"}), NOW)
    await store.put("lena", KolProfileRecord(name="Lena", handles={"z": "😀"}), NOW + MINUTE)
    kol = await store.get("lena")
    assert kol.profile == KolProfileRecord(name="Lena", handles={"z": "😀"})
    assert (kol.registered_at, kol.status) == (NOW, None)
    with pytest.raises(NotFound):
        await store.get("Lena")


async def test_moods_add_up_over_steps(database: Database) -> None:
    steps = StepStore(database)
    for first in (0, 3):
        batch = [
            scored(n, 0.1 * n, created_at=NOW + n * 20 * timedelta(seconds=1))
            for n in range(first, first + 3)
        ]
        await steps.commit(
            PipelineStep(seq=first + 2, model="m", scored=batch), await steps.progress()
        )
    await steps.commit(
        PipelineStep(
            seq=6, model="m", scored=[scored(6, 0.9, created_at=NOW + 30 * timedelta(seconds=1))]
        ),
        await steps.progress(),
    )
    store = MoodStore(database)
    fine = await store.series("lena", NOW, NOW + 2 * MINUTE, MINUTE)
    assert [(point.start, point.comments) for point in fine] == [(NOW, 4), (NOW + MINUTE, 3)]
    assert [point.negative for point in fine] == pytest.approx([1.2, 1.2])
    (coarse,) = await store.series("lena", NOW, NOW + 2 * MINUTE, 5 * MINUTE)
    assert (coarse.comments, coarse.negative) == (7, pytest.approx(2.4))
    assert type(coarse.comments) is int


async def test_alerts_are_listed_by_their_opening_and_id(database: Database) -> None:
    steps, store = StepStore(database), AlertStore(database)
    events = [
        transition(alert_id=alert_id, kol_id=kol_id, at=NOW + hours * 60 * MINUTE)
        for alert_id, kol_id, hours in (
            ("b", "lena", 0), ("B", "lena", 0), ("a", "mina", 0), ("c", "lena", 1),
        )
    ]  # fmt: skip
    events += [transition("resolved", alert_id="a", kol_id="mina", at=NOW + 90 * MINUTE)]
    await steps.commit(PipelineStep(seq=0, model="m", events=events), await steps.progress())

    async def page(before: tuple[datetime, str] | None = None, **wanted: Any) -> list[str]:
        return [
            alert.alert_id
            for alert in await store.page(AlertFilter(**wanted), before=before, limit=9)
        ]

    assert await page() == ["c", "b", "a", "B"]
    assert await page((NOW, "b")) == ["a", "B"]
    assert await page(kol_id="lena", since=NOW + MINUTE) == ["c"]
    assert await page(state="resolved") == ["a"]
    assert await page(touched=True) == []
    alert, events = await store.get("a")
    assert [event.reason for event in events] == ["opened", "resolved"]
    assert alert.evidence == events[0].evidence
    assert await store.open_by_kol() == {("lena", "warning"): 3}
    last = await store.last_event_id()
    assert [event.alert_id for event in await store.events_after(last - 2, limit=9)] == ["c", "a"]


async def test_states_and_idle_marks_come_back_as_they_were_left(database: Database) -> None:
    steps = StepStore(database)
    state = EngineState("lena", STATUS, NOW, NOW + MINUTE, bytes(range(256)))
    marks = [IdleMark("lena", NOW), IdleMark("mina", NOW + MINUTE)]
    before = await steps.progress()
    after = await steps.commit(
        PipelineStep(seq=0, model="m", new_marks=marks, states=[state]), before
    )
    assert await steps.progress() == after
    (stored,) = await steps.states("", 9)
    assert stored == await steps.state("lena")
    assert (stored.status, stored.snapshot) == (state.status, state.snapshot)
    assert (stored.last_created_at, stored.last_received_at) == (NOW, NOW + MINUTE)
    assert stored.replay_after == stored.replay_up_to == after.place
    assert await steps.states("lena", 9) == []
    assert await steps.statuses_after(before.step) == [state.status]
    assert await steps.statuses_after(after.step) == []
    found = await steps.next_mark(before)
    assert found is not None
    assert (found.mark, found.after_seq) == (marks[0], 0)
    await steps.clear_derived()
    assert await steps.states("", 9) == []
    assert await steps.next_mark(before) == found  # what was declared stays, to be repeated


async def test_a_failed_transaction_leaves_nothing_and_a_reading_one_sees_one_moment(
    database: Database,
) -> None:
    store = KolStore(database)
    await store.put("lena", KolProfileRecord(), NOW)

    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(insert(kols).values(kol_id="m", registered_at=0))
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        await fail()
    async with database.read() as connection:
        names = select(kols.c.kol_id)
        assert (await connection.execute(names)).scalars().all() == ["lena"]
        await store.put("zoe", KolProfileRecord(), NOW)
        assert (await connection.execute(names)).scalars().all() == ["lena"]
    assert await store.count() == 2
