"""When each of many KOLs is due; finding those that are costs nothing for all others."""

from collections import defaultdict
from datetime import datetime
from heapq import heappop, heappush


class DueTimes:
    """One instant for each KOL that has one.

    KOLs are held by the second of their instant, so that a change costs the same however many
    there are.
    """

    def __init__(self) -> None:
        self._at: dict[str, datetime] = {}
        self._of_second: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self._seconds: list[int] = []  # a heap; some are empty by now

    def clear(self) -> None:
        """Drop every KOL."""
        self._at.clear()
        self._of_second.clear()
        self._seconds.clear()

    def get(self, kol_id: str) -> datetime | None:
        """When a KOL is due; None if it has no instant."""
        return self._at.get(kol_id)

    def set(self, kol_id: str, at: datetime) -> None:
        """Have a KOL be due at an instant (aware), and at no other."""
        self.drop(kol_id)
        second = int(at.timestamp())
        if second not in self._of_second:
            heappush(self._seconds, second)
        self._of_second[second][kol_id] = None
        self._at[kol_id] = at

    def drop(self, kol_id: str) -> None:
        """Have a KOL not be due at any instant."""
        if (at := self._at.pop(kol_id, None)) is not None:
            self._of_second[int(at.timestamp())].pop(kol_id)

    def is_due(self, now: datetime) -> bool:
        """Whether any KOL is due."""
        return bool(self._first(now, 1))

    def take(self, now: datetime, limit: int) -> list[str]:
        """At most so many KOLs that are due, the earliest first; they are due no longer."""
        taken = self._first(now, limit)
        for kol_id in taken:
            self.drop(kol_id)
        return taken

    def _first(self, now: datetime, limit: int) -> list[str]:
        found, passed, last = list[str](), list[int](), int(now.timestamp())
        while self._seconds and self._seconds[0] <= last and len(found) < limit:
            second = heappop(self._seconds)
            for kol_id in self._of_second[second]:
                if self._at[kol_id] <= now:
                    found.append(kol_id)
                if len(found) == limit:
                    break
            if self._of_second[second]:
                passed.append(second)
            else:
                del self._of_second[second]
        for second in passed:
            heappush(self._seconds, second)
        return found
