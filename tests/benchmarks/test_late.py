"""The benchmark of late comments: what it sends, what it counts, and a tiny run of each part."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.crisis import protocol
from benchmarks.crisis.stream import EPOCH
from benchmarks.late import audience, beside, cost, report
from benchmarks.late.arrivals import kols, received
from benchmarks.late.crisis import CrisisRun, equal_parts, pages, play
from serving.storage.database import Database
from serving.storage.instants import to_micros

MINUTE = timedelta(minutes=1)
POOL = audience.pool(1)


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[str]:
    def make() -> Iterator[str]:
        number = 0
        while True:
            url = f"sqlite:///{tmp_path / str(number)}.db"
            Database(url).upgrade()
            yield url
            number += 1

    return make()


def test_every_text_has_one_score_and_all_classes_are_there() -> None:
    scorer = audience.GivenScorer.of(POOL)
    found = asyncio.run(scorer.predict(POOL.texts))
    for prediction, scores in zip(found, POOL.scores.tolist(), strict=True):
        assert [prediction.negative, prediction.neutral, prediction.positive] == scores
    assert POOL.hit_rate > 0.5 > 3 * POOL.false_rate
    with pytest.raises(KeyError):
        asyncio.run(scorer.predict(["of nobody"]))


def test_delayed_comments_are_the_prompt_ones_in_another_order() -> None:
    streams = kols(protocol.TEST_SEED, POOL, {"nano": 2}, {"nano": 3})
    prompt = list(received(streams, delay=0, poll=1, seed=1))
    delayed = list(received(streams, delay=60, poll=1, seed=1))
    sent = [[(m, one) for m, part in run for one in part] for run in (prompt, delayed)]
    everything = {(one.kol_id, one.comment_id) for kol in streams for one in kol.comments}
    for run in sent:
        assert len(run) == len(everything)
        assert {(one.kol_id, one.comment_id) for _, one in run} == everything
    ages = [[EPOCH + m * MINUTE - one.created_at for m, one in run] for run in sent]
    assert all(timedelta() <= age < MINUTE for age in ages[0])
    assert all(timedelta() <= age <= 61 * MINUTE for age in ages[1])
    assert max(ages[1]) > 50 * MINUTE
    for kol in streams:
        (age,) = [
            a for a, (_, one) in zip(ages[1], sent[1], strict=True) if one is kol.comments[-1]
        ]
        assert age < MINUTE


def test_incidents_are_cut_at_the_last_day() -> None:
    for kol in kols(protocol.TEST_SEED, POOL, {"nano": 3}, {"nano": 30}):
        assert all(one.start < one.end <= 30 * 1440 for one in kol.stream.incidents)
        assert kol.weeks == pytest.approx(16 / 7)


def test_only_pages_of_the_kol_count() -> None:
    (kol,) = kols(protocol.TEST_SEED, POOL, {"nano": 1}, {"nano": 1})
    at = to_micros(EPOCH + 90 * MINUTE)
    events = [
        ("nano-0", "storm", severity, reason, at, None)
        for severity in ("info", "warning", "critical")
        for reason in ("opened", "escalated", "reopened", "resolved")
    ]
    other = [("nano-5", "storm", "critical", "opened", at, None)]
    assert pages({"events": [*events, *other]}, kol) == [90] * 4


def test_a_delayed_run_ends_like_the_prompt_one(urls: Iterator[str]) -> None:
    prompt, delayed = (
        asyncio.run(play(CrisisRun("SQLite", next(urls), 5, {"micro": 1}, {"micro": 1}, delay, 30)))
        for delay in (0.0, 60.0)
    )
    assert equal_parts(prompt, delayed) == dict.fromkeys(equal_parts(prompt, delayed), True)
    assert prompt.final["scored"] == prompt.comments == delayed.comments > 10
    assert prompt.reruns == 0 < delayed.reruns
    assert delayed.rerun_seconds > 0
    row = report.crisis_row(prompt, delayed)
    assert row["differences"] == []
    delayed.final["minutes"].pop()
    row = report.crisis_row(prompt, delayed)
    assert not row["equal"]["minutes"]
    assert len(row["differences"]) == 1


def test_late_comments_are_timed_and_prompt_ones_beside_them(urls: Iterator[str]) -> None:
    async def run() -> tuple[cost.LateCosts, beside.PromptDelays, beside.PromptDelays]:
        world = cost.new_world(next(urls), POOL, 3)
        kol = cost.SteadyKol(
            "nano", 4, 8, 12
        )  # its newest comment is hours before the last day's end
        await world.receive_history(kol)
        assert world.pipeline.reruns == []
        costs = await cost.measure(world, kol)
        alone = await beside.measure(world, None, requests=3, every=0.01)
        both = await beside.measure(world, kol, requests=20, every=0.01)
        await world.database.close()
        return costs, alone, both

    costs, alone, both = asyncio.run(run())
    assert len(costs.milliseconds) == len(costs.windows) == 12
    assert min(costs.milliseconds) > 0
    assert all(0 < windows <= 44 for windows in costs.windows)
    assert (len(alone.milliseconds), alone.reruns) == (3, 0)
    assert len(both.milliseconds) == 20
    assert both.reruns > 0
    row = report.cost_row("SQLite", [costs], {"nothing": alone, "nano": both})
    assert row["late_comments"][0]["windows"]["max"] == max(costs.windows)
