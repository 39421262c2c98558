"""Near-duplicate comments, by min-hashes of character shingles (Broder 1997)."""

import re
import zlib
from collections import Counter

_SHINGLE = 5
_HASHES = 4
_ALIKE = 3  # shared hashes of a near-duplicate
KEPT = 128  # comments remembered
_SHORTEST = 12  # characters; shorter comments are alike by nature ("so beautiful")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|(?<!\w)@\w+")
_NOISE = re.compile(r"[\W\d_]+")

Signature = tuple[int, ...]


def signature(text: str) -> Signature:
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
    """The signatures of the last comments of one KOL.

    Args:
        kept: those remembered, oldest first; changed in place.
    """

    __slots__ = ("_count", "_kept")

    def __init__(self, kept: list[Signature]) -> None:
        self._kept = kept
        self._count = Counter(value for hashes in kept for value in hashes)

    def add(self, hashes: Signature) -> bool:
        """Remember a comment by its signature; whether it nearly repeats one still remembered."""
        if not hashes:
            return False
        known = sum(1 for value in hashes if value in self._count)
        self._kept.append(hashes)
        for value in hashes:
            self._count[value] += 1
        if len(self._kept) > KEPT:
            for value in self._kept.pop(0):
                if self._count[value] == 1:
                    del self._count[value]
                else:
                    self._count[value] -= 1
        return known >= _ALIKE
