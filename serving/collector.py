"""Python's garbage collector, kept from stopping everything while much is built."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 1000  # KOLs, for which a full collection takes 80 ms


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
