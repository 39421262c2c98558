"""Python's garbage collector, kept from going over all KOLs, which stops the event loop."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MANY = 1000  # KOLs, for which a full collection takes 80 ms
_SURVIVORS = 10_000  # objects; a collection goes over them in 4 ms
_FULL_AFTER = 1  # collections of new objects; after more there may be too many for a full one
_GROWN = 2.0  # by which memory for each KOL has grown when all is gone over again


def keep(kols: int) -> None:
    """Leave all that is there out of later collections, if it holds many KOLs.

    With few the collector costs little, and would no longer find what is thrown away of the rest.
    """
    if kols >= _MANY:
        gc.freeze()


@contextmanager
def collector_off() -> Iterator[None]:
    """Have nothing be collected by itself meanwhile, for what is built is to stay.

    Otherwise each further quarter of it would have all of it gone over, which stops the event loop.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def collect_new() -> None:
    """Go over what a step has made.

    Python does so once there are 700 objects more than before. A step on KOLs that are known
    replaces as many as it makes, so new ones would gather, and be gone over all at once.
    """
    gc.collect(1)


class Collector:
    """Leaves what survives a full collection out of later ones, so that none goes over much.

    What is left out is freed as soon as nothing refers to it, as everything is. Only what refers to
    itself and is thrown away later stays: of requests, for example, that were under way at the
    time. So once twice as much memory is in use for each KOL, the next collection goes over all.

    Args:
        kols: how many KOLs there are.
        blocks: how many pieces of memory are in use.
    """

    def __init__(
        self, kols: Callable[[], int], blocks: Callable[[], int] = sys.getallocatedblocks
    ) -> None:
        self._kols = kols
        self._blocks = blocks
        self._former = gc.get_threshold()
        self._least: float | None = None  # blocks for each KOL since all was gone over

    def start(self) -> None:
        """Begin; all that is there by now is left out."""
        self._former = gc.get_threshold()
        gc.set_threshold(*self._former[:2], _FULL_AFTER)
        gc.callbacks.append(self._collected)
        gc.freeze()
        gc.collect()  # of nothing, so that full ones are due by what comes from now on

    def stop(self) -> None:
        """End; collections go over everything again."""
        gc.callbacks.remove(self._collected)
        gc.set_threshold(*self._former)
        gc.unfreeze()

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if phase != "stop" or info["generation"] < 2:
            return
        if len(gc.get_objects(generation=2)) < _SURVIVORS:
            return
        for_each = self._blocks() / max(self._kols(), _MANY)
        if self._least is not None and for_each > _GROWN * self._least:
            self._least = None
            gc.unfreeze()
            return
        self._least = for_each if self._least is None else min(for_each, self._least)
        gc.freeze()
