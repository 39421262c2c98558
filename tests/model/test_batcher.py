"""The batcher with a model that waits until the test lets it continue."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from model.batcher import Batcher, BatchReport, Priority
from model.errors import BackendError, ModelStoppedError, Overloaded, TooManyTextsError
from model.types import Prediction


class Gate:
    """Predicts when opened; says what it was asked; fails on the text `fail`."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.asked: list[list[str]] = []
        self.entered = threading.Semaphore(0)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.asked.append(list(texts))
        self.entered.release()
        assert self.open.wait(20)
        if "fail" in texts:
            raise RuntimeError("out of luck")
        return [Prediction(negative=len(text) / 100, neutral=0, positive=0) for text in texts]


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def reports() -> list[BatchReport]:
    return []


@pytest.fixture
async def batcher(gate: Gate, reports: list[BatchReport]) -> AsyncIterator[Batcher]:
    made = Batcher(
        gate,
        max_waiting_texts=10,
        max_batch_texts=4,
        low_priority_share=1.0,
        max_delay=0.0,
        observer=reports.append,
    )
    await made.start()
    yield made
    gate.open.set()
    await made.stop()


async def busy(batcher: Batcher, gate: Gate, *texts: str) -> asyncio.Task[list[Prediction]]:
    """A call that the model is working on."""
    task = asyncio.create_task(batcher.predict(texts))
    await asyncio.to_thread(gate.entered.acquire)
    return task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_get_their_own_answers_in_order(batcher: Batcher, gate: Gate) -> None:
    gate.open.set()
    calls = [["a", "bb"], ["ccc"], ["dddd", "e", "ff"]]
    answers = await asyncio.gather(*[batcher.predict(call) for call in calls])
    for call, answer in zip(calls, answers, strict=True):
        assert [said.negative for said in answer] == [len(text) / 100 for text in call]
    assert batcher.waiting == 0
    assert await batcher.predict([]) == []


async def test_waiting_calls_share_a_batch_up_to_its_bound(
    batcher: Batcher, gate: Gate, reports: list[BatchReport]
) -> None:
    first = await busy(batcher, gate, "first")
    others = [asyncio.create_task(batcher.predict([f"t{i}", f"u{i}"])) for i in range(3)]
    await settle()
    gate.open.set()
    await asyncio.gather(first, *others)
    assert gate.asked == [["first"], ["t0", "u0", "t1", "u1"], ["t2", "u2"]]
    assert [report.texts for report in reports] == [1, 4, 2]
    assert [report.waiting for report in reports] == [6, 2, 0]
    assert not any(report.failed for report in reports)


async def test_long_texts_make_small_batches(gate: Gate) -> None:
    gate.open.set()
    batcher = Batcher(gate, max_batch_texts=10, max_batch_characters=10, max_delay=0.0)
    await batcher.start()
    await batcher.predict(["x" * 6, "y" * 6, "z", "w" * 50, "v"], priority=Priority.HIGH)
    await batcher.stop()
    assert [len(batch) for batch in gate.asked] == [1, 2, 1, 1]


async def test_failure_reaches_every_caller_of_the_batch_and_no_other(
    batcher: Batcher, gate: Gate, reports: list[BatchReport]
) -> None:
    first = await busy(batcher, gate, "first")
    bad = asyncio.create_task(batcher.predict(["fail"]))
    beside = asyncio.create_task(batcher.predict(["x", "y", "z"]))
    later = asyncio.create_task(batcher.predict(["later"]))
    await settle()
    gate.open.set()
    results = await asyncio.gather(first, bad, beside, later, return_exceptions=True)
    assert isinstance(results[0], list)
    for failed in results[1:3]:
        assert isinstance(failed, BackendError)
        assert "out of luck" in str(failed)
        assert isinstance(failed.__cause__, RuntimeError)
    assert results[1] is not results[2]
    assert isinstance(results[3], list)
    assert [report.failed for report in reports] == [False, True, False]
    assert batcher.alive
    assert batcher.waiting == 0


async def test_overload_takes_nothing_and_says_when_to_return(batcher: Batcher, gate: Gate) -> None:
    first = await busy(batcher, gate, "1", "2", "3", "4")
    second = asyncio.create_task(batcher.predict(["5"] * 5))
    await settle()
    with pytest.raises(Overloaded) as caught:
        await batcher.predict(["6", "7"])
    assert caught.value.code == "overloaded"
    assert caught.value.retry_after >= 1
    assert batcher.waiting == 9
    third = asyncio.create_task(batcher.predict(["6"]))
    await settle()
    gate.open.set()
    await asyncio.gather(first, second, third)
    assert not any("7" in batch for batch in gate.asked)
    assert batcher.waiting == 0


async def test_call_that_never_fits(batcher: Batcher) -> None:
    with pytest.raises(TooManyTextsError):
        await batcher.predict(["x"] * 11)


async def test_cancelled_callers_texts_are_dropped_and_their_permits_freed(
    batcher: Batcher, gate: Gate
) -> None:
    first = await busy(batcher, gate, "first")
    gone = asyncio.create_task(batcher.predict(["gone"] * 8))
    stays = asyncio.create_task(batcher.predict(["stays"]))
    await settle()
    assert batcher.waiting == 10
    gone.cancel()
    await settle()
    assert batcher.waiting == 2
    gate.open.set()
    await asyncio.gather(first, stays)
    assert gate.asked == [["first"], ["stays"]]
    assert gone.cancelled()


async def test_caller_cancelled_while_its_batch_runs(batcher: Batcher, gate: Gate) -> None:
    running = await busy(batcher, gate, "running")
    running.cancel()
    await settle()
    gate.open.set()
    assert len(await batcher.predict(["next"])) == 1
    assert batcher.waiting == 0


async def test_dead_worker_is_visible_and_fails_its_waiters(
    batcher: Batcher, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await busy(batcher, gate, "first")
    second = asyncio.create_task(batcher.predict(["second"]))
    await settle()

    def broken() -> None:
        raise ZeroDivisionError("the queues broke")

    monkeypatch.setattr(batcher, "_next", broken)
    gate.open.set()
    assert len(await first) == 1
    with pytest.raises(ModelStoppedError, match="the queues broke"):
        await second
    assert not batcher.alive
    with pytest.raises(ModelStoppedError):
        await batcher.predict(["third"])


async def test_an_observer_that_raises_is_logged_and_stops_nothing(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    def observer(report: BatchReport) -> None:
        raise ZeroDivisionError("the observer broke")

    gate.open.set()
    batcher = Batcher(gate, max_delay=0.0, observer=observer)
    await batcher.start()
    for text in ("first", "second"):
        assert len(await batcher.predict([text])) == 1
    assert batcher.alive
    assert "the observer broke" in caplog.text
    await batcher.stop()


@pytest.mark.parametrize("answers", [0, 1, 3])
async def test_the_wrong_number_of_answers_fails_its_batch_and_no_other(
    batcher: Batcher,
    gate: Gate,
    reports: list[BatchReport],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answers: int,
) -> None:
    gate.open.set()
    with monkeypatch.context() as patch:
        patch.setattr(gate, "predict", lambda _: [Prediction(1, 0, 0)] * answers)
        call = asyncio.create_task(batcher.predict(["a", "b"]))
        with pytest.raises(BackendError, match=f"{answers} predictions for 2 texts"):
            await asyncio.wait_for(call, 20)
    assert len(await batcher.predict(["next", "one"])) == 2
    assert [report.failed for report in reports] == [True, False]
    assert f"{answers} predictions for 2 texts" in caplog.text
    assert (batcher.alive, batcher.waiting) == (True, 0)


async def test_stop_fails_who_still_waits(batcher: Batcher, gate: Gate) -> None:
    first = await busy(batcher, gate, "first")
    second = asyncio.create_task(batcher.predict(["second"]))
    await settle()
    stopping = asyncio.create_task(batcher.stop())
    await settle()
    gate.open.set()
    await stopping
    for task in (first, second):
        with pytest.raises(ModelStoppedError):
            await task
    assert not batcher.alive


async def test_before_start_nothing_is_scored(gate: Gate) -> None:
    with pytest.raises(ModelStoppedError):
        await Batcher(gate).predict(["x"])


async def test_started_again_after_a_stop(gate: Gate) -> None:
    gate.open.set()
    batcher = Batcher(gate)
    await batcher.start()
    await batcher.start()
    await batcher.predict(["x"])
    await batcher.stop()
    await batcher.start()
    assert len(await batcher.predict(["y"])) == 1
    await batcher.stop()


async def test_what_is_urgent_goes_first_and_alone(batcher: Batcher, gate: Gate) -> None:
    first = await busy(batcher, gate, "first")
    slow = asyncio.create_task(batcher.predict(["s1", "s2"]))
    await settle()
    urgent = asyncio.create_task(batcher.predict(["u1", "u2"], priority=Priority.HIGH))
    await settle()
    gate.open.set()
    await asyncio.gather(first, slow, urgent)
    assert gate.asked == [["first"], ["u1", "u2"], ["s1", "s2"]]


async def test_what_is_urgent_is_never_refused_for_what_is_not(
    batcher: Batcher, gate: Gate
) -> None:
    first = await busy(batcher, gate, *["x"] * 10)
    with pytest.raises(Overloaded):
        await batcher.predict(["y"])
    urgent = asyncio.create_task(batcher.predict(["u"] * 10, priority=Priority.HIGH))
    await settle()
    with pytest.raises(Overloaded):
        await batcher.predict(["v"], priority=Priority.HIGH)
    assert batcher.waiting == 20
    gate.open.set()
    assert len(await urgent) == 10
    await first
    assert gate.asked[1] == ["u"] * 4
    assert batcher.waiting == 0


async def test_long_texts_of_low_priority_are_scored_in_small_batches(gate: Gate) -> None:
    batcher = Batcher(gate, max_batch_texts=8, max_batch_characters=40, max_delay=0.0)
    await batcher.start()
    gate.open.set()
    texts = ["a" * 5] * 3 + ["b" * 100]
    await batcher.predict(texts)
    assert [len(asked) for asked in gate.asked] == [2, 1, 1]
    gate.asked.clear()
    await batcher.predict(texts, priority=Priority.HIGH)
    assert [len(asked) for asked in gate.asked] == [3, 1]
    await batcher.stop()
