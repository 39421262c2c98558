"""The settings that tests show to change something."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SHOWN: set[str] = set()


def shows(*names: str) -> Callable[[T], T]:
    """Marks a test as the one that shows what settings do."""

    def mark(test: T) -> T:
        SHOWN.update(names)
        return test

    return mark
