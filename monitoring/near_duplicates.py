"""Near-duplicate comments, by min-hashes of character shingles (Broder 1997)."""

import re
import zlib
from collections import deque

_SHINGLE = 5
_HASHES = 4
_ALIKE = 3  # shared hashes of a near-duplicate
_KEPT = 128  # comments remembered
_SHORTEST = 12  # characters; shorter comments are alike by nature ("so beautiful")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|(?<!\w)@\w+")
_NOISE = re.compile(r"[\W\d_]+")


def signature(text: str) -> tuple[int, ...]:
    """The four smallest hashes of the text's five-character shingles; empty if too short.

    Handles, links, case, digits, punctuation, white space and emoji are left out, so that a copy
    with another number or ending keeps most of its hashes.
    """
    plain = _NOISE.sub("", _ADDRESS.sub(" ", text.casefold()))[:400]
    if len(plain) < _SHORTEST:
        return ()
    shingles = {plain[i : i + _SHINGLE] for i in range(len(plain) - _SHINGLE + 1)}
    hashes = sorted(zlib.crc32(part.encode("utf-8", "surrogatepass")) for part in shingles)
    return tuple(hashes[:_HASHES])


class RecentTexts:
    """The signatures of the last comments of one KOL."""

    __slots__ = ("_count", "_kept")

    def __init__(self) -> None:
        self._kept: deque[tuple[int, ...]] = deque()
        self._count: dict[int, int] = {}

    def add(self, hashes: tuple[int, ...]) -> bool:
        """Remember a comment by its signature; whether it nearly repeats one still remembered."""
        if not hashes:
            return False
        known = sum(1 for value in hashes if value in self._count)
        self._kept.append(hashes)
        for value in hashes:
            self._count[value] = self._count.get(value, 0) + 1
        if len(self._kept) > _KEPT:
            for value in self._kept.popleft():
                if self._count[value] == 1:
                    del self._count[value]
                else:
                    self._count[value] -= 1
        return known >= _ALIKE

    def state(self) -> list[list[int]]:
        """Everything it knows, as JSON-able values."""
        return [list(hashes) for hashes in self._kept]

    def load(self, state: list[list[int]]) -> None:
        """Become what `state` returned."""
        self._kept = deque(tuple(hashes) for hashes in state)
        self._count = {}
        for hashes in self._kept:
            for value in hashes:
                self._count[value] = self._count.get(value, 0) + 1
