"""No collection goes over all KOLs, and what refers to itself is found all the same."""

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from monitoring.engine import Engine
from monitoring.events import Comment, ScoredComment
from serving.collector import Collector, collect_new, collector_off, keep
from tests.serving.conftest import NOW

FEW = 60_000  # objects that a collection may go over


class Knot:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _collected_as_before() -> Iterator[None]:
    former = gc.get_threshold()
    gc.freeze()
    yield
    gc.set_threshold(*former)
    gc.unfreeze()


@contextmanager
def running(kols: Callable[[], int], blocks: Callable[[], int]) -> Iterator[None]:
    collector = Collector(kols, blocks)
    collector.start()
    try:
        yield
    finally:
        collector.stop()


@contextmanager
def collections() -> Iterator[list[int]]:
    """How many objects each full collection that began meanwhile had to go over."""
    found = list[int]()

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            found.append(len(gc.get_objects()))

    gc.callbacks.append(note)
    try:
        yield found
    finally:
        gc.callbacks.remove(note)


def step(held: list[list[int]], objects: int = 2000) -> None:
    held += [[] for _ in range(objects)]
    collect_new()


def test_what_stays_is_not_gone_over_again() -> None:
    held = list[list[int]]()
    with running(lambda: 1, lambda: 1), collections() as found:
        for _ in range(150):
            step(held)
    assert len(found) > 5
    assert max(found) < FEW


def test_what_a_step_replaces_is_gone_over_at_once() -> None:
    held: list[list[int]] = [[] for _ in range(100_000)]
    gc.freeze()
    for first in range(0, 100_000, 5000):
        for place in range(first, first + 5000):
            held[place] = []  # as many as before: nothing is collected for that
        collect_new()
        assert len(gc.get_objects(generation=0)) < 2000
        assert len(gc.get_objects(generation=1)) < 2000


def test_what_refers_to_itself_is_found_once_memory_has_grown() -> None:
    memory, held = [1000], list[list[int]]()
    knot = Knot()
    gone = weakref.ref(knot)
    with running(lambda: 5000, lambda: memory[0]):
        for _ in range(30):
            step(held)
        del knot  # by now it is left out
        memory[0] = 1990
        for _ in range(30):
            step(held)
        assert gone() is not None
        memory[0] = 2010
        for _ in range(60):
            step(held)
        assert gone() is None


def test_memory_of_more_kols_is_no_reason_to_go_over_all() -> None:
    memory, kols, held = [1000], [5000], list[list[int]]()
    with running(lambda: kols[0], lambda: memory[0]), collections() as found:
        for _ in range(150):
            step(held)
            memory[0] += 1000
            kols[0] += 5000
    assert max(found) < FEW


def test_a_kol_is_freed_without_a_collection() -> None:
    # Otherwise those that are thrown away would gather among what is left out.
    engine = Engine()
    comment = Comment("instagram", "c", "lena", "love it", NOW)
    gc.collect()
    with collector_off():
        for _ in range(50):
            engine.observe(ScoredComment(comment, 0.1, 0.1, 0.8, 0.0), NOW)
            engine.reset("lena")
        assert gc.collect() < 50 * 5  # of some 130 objects for each


def test_nothing_is_collected_by_itself_while_the_collector_is_off() -> None:
    with collections() as found, collector_off():
        held = [[] for _ in range(200_000)]  # type: ignore[var-annotated]
        assert gc.get_count()[0] > 0.9 * len(held)
    assert found == []
    assert gc.isenabled()


@pytest.mark.parametrize(("kols", "kept"), [(999, False), (1000, True)])
def test_many_kols_are_kept_out_of_later_collections(kols: int, kept: bool) -> None:
    held = [[] for _ in range(5000)]  # type: ignore[var-annotated]
    keep(kols)
    objects = {id(one) for one in gc.get_objects()}
    assert (id(held[-1]) not in objects) == kept
