"""From single comments to one-minute windows: watermark, lateness, repeats."""

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from monitoring.event_time import minute_of, moment_of
from monitoring.events import ScoredComment
from monitoring.near_duplicates import RecentTexts, signature
from monitoring.windows import WindowStats

# P(negative) from which a near-duplicate of an earlier comment is counted. The classifier reads all
# copies of a text alike, so its doubts about them do not average out: 200 copies of an
# advertisement read as 0.4 negative are not 80 negative comments.
_REPEATED_NEGATIVE = 0.5

# One comment of an open minute: seconds, P(negative), P(positive), author, min-hashes of its text.
_Entry = tuple[float, float, float, str | None, tuple[int, ...]]


class WindowCounter:
    """Minute windows of one KOL in event time.

    The watermark is the latest time seen less the lateness. A minute closes when the watermark
    reaches its end; a comment for a closed minute is late: counted, not used.

    Attributes:
        latest: latest event time seen, in seconds since 1970 UTC; None before the first comment.
        late: comments that came too late.
        repeats: comments whose id was already in an open minute.
    """

    __slots__ = (
        "_closed_until",
        "_kol_id",
        "_lateness",
        "_open",
        "_texts",
        "late",
        "latest",
        "repeats",
    )

    def __init__(self, kol_id: str, lateness: timedelta) -> None:
        self._kol_id = kol_id
        self._lateness = lateness
        self._open: dict[int, dict[str, _Entry]] = {}
        self._closed_until = 0  # minutes before this one are closed
        self._texts = RecentTexts()
        self.latest: float | None = None
        self.late = 0
        self.repeats = 0

    @property
    def watermark(self) -> int | None:
        """Minutes before this one are closed; None before the first comment."""
        return None if self.latest is None else self._closed_until

    @property
    def settles_at(self) -> datetime | None:
        """When time closes the last minute that is open; None if none is."""
        return moment_of(max(self._open) + 1) + self._lateness if self._open else None

    def add(self, scored: ScoredComment) -> tuple[bool, bool]:
        """Count one comment.

        Returns:
            Whether it was late, and whether it repeats a comment of an open minute.
        """
        comment = scored.comment
        minute = minute_of(comment.created_at)
        if minute < self._closed_until:
            self.late += 1
            return True, False
        mark = _short_hash(f"{comment.platform}\x1f{comment.comment_id}")
        held = self._open.setdefault(minute, {})
        if mark in held:
            self.repeats += 1
            return False, True
        author = None if comment.author_id is None else _short_hash(comment.author_id)
        seconds = comment.created_at.timestamp()
        held[mark] = (seconds, scored.negative, scored.positive, author, signature(comment.text))
        if self.latest is None or seconds > self.latest:
            self.latest = seconds
        return False, False

    def reach(self, seconds: float) -> None:
        """Event time is known to have reached `seconds` since 1970 UTC."""
        if self.latest is None or seconds > self.latest:
            self.latest = seconds

    def close(self) -> list[WindowStats]:
        """The windows that the watermark has passed, in time order."""
        if self.latest is None:
            return []
        until = int((self.latest - self._lateness.total_seconds()) // 60)
        if until <= self._closed_until:
            return []
        self._closed_until = until
        due = sorted(minute for minute in self._open if minute < until)
        return [self._window(minute, self._open.pop(minute)) for minute in due]

    def _window(self, minute: int, held: dict[str, _Entry]) -> WindowStats:
        # In order of writing, so that neither sums nor near-duplicates depend on arrival.
        entries = [entry for _, entry in sorted(held.items(), key=lambda kv: (kv[1][0], kv[0]))]
        authors = Counter(entry[3] for entry in entries)
        known = None not in authors
        repeats = [self._texts.add(entry[4]) for entry in entries]
        return WindowStats(
            kol_id=self._kol_id,
            start=moment_of(minute),
            comments=len(entries),
            negative=sum(
                negative
                for (_, negative, *_), repeat in zip(entries, repeats, strict=True)
                if not repeat or negative >= _REPEATED_NEGATIVE
            ),
            positive=sum(entry[2] for entry in entries),
            authors=len(authors) if known else None,
            top_author_share=max(authors.values()) / len(entries) if known else None,
            duplicate_share=sum(repeats) / len(entries),
        )

    def state(self) -> dict[str, Any]:
        """Everything it knows, as JSON-able values; the same in whatever order comments came."""
        return {
            "open": [
                [minute, [[mark, *entry] for mark, entry in sorted(held.items())]]
                for minute, held in sorted(self._open.items())
            ],
            "closed_until": self._closed_until,
            "texts": self._texts.state(),
            "latest": self.latest,
            "late": self.late,
            "repeats": self.repeats,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Become what `state` returned."""
        self._open = {
            minute: {
                mark: (seconds, negative, positive, author, tuple(hashes))
                for mark, seconds, negative, positive, author, hashes in held
            }
            for minute, held in state["open"]
        }
        self._closed_until = state["closed_until"]
        self._texts.load(state["texts"])
        self.latest = state["latest"]
        self.late = state["late"]
        self.repeats = state["repeats"]


def _short_hash(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
