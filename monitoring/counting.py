"""From single comments to one-minute windows: watermark, lateness, repeats."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from monitoring.event_time import minute_of, moment_of
from monitoring.events import Comment, ScoredComment
from monitoring.near_duplicates import RecentTexts, Signature, signature
from monitoring.windows import WindowStats

# P(negative) from which a near-duplicate of an earlier comment is counted. The classifier reads all
# copies of a text alike, so its doubts about them do not average out: 200 copies of an
# advertisement read as 0.4 negative are not 80 negative comments.
_REPEATED_NEGATIVE = 0.5

# One comment of an open minute: seconds, P(negative), P(positive), author, min-hashes of its text.
_Entry = tuple[float, float, float, str | None, Signature]


class CounterState(msgspec.Struct, array_like=True):
    """What a counter holds.

    Attributes:
        open: per open minute its comments, by a hash of their id.
        closed_until: minutes before this one are closed.
        texts: signatures of the last comments, for `RecentTexts`.
        latest: latest event time seen, in seconds since 1970 UTC; None before the first comment.
        late: comments that came too late.
        repeats: comments whose id was already in an open minute.
    """

    open: dict[int, dict[str, _Entry]] = msgspec.field(default_factory=dict)
    closed_until: int = 0
    texts: list[Signature] = msgspec.field(default_factory=list)
    latest: float | None = None
    late: int = 0
    repeats: int = 0

    def ordered(self) -> "CounterState":
        """The same, with the comments in an order that does not depend on their arrival."""
        minutes = {minute: dict(sorted(held.items())) for minute, held in sorted(self.open.items())}
        return msgspec.structs.replace(self, open=minutes)


class WindowCounter:
    """Minute windows of one KOL in event time.

    The watermark is the latest time seen less the lateness. A minute closes when the watermark
    reaches its end; a comment for a closed minute is late: counted, not used.

    Attributes:
        state: the open minutes and what was counted of late and repeated comments.

    Args:
        kol_id: whose stream.
        lateness: how long a minute stays open.
        state: what an earlier counter held; None starts afresh.
    """

    __slots__ = ("_kol_id", "_lateness", "_texts", "state")

    def __init__(self, kol_id: str, lateness: timedelta, state: CounterState | None = None) -> None:
        self._kol_id = kol_id
        self._lateness = lateness
        self.state = CounterState() if state is None else state
        self._texts = RecentTexts(self.state.texts)

    @property
    def watermark(self) -> int | None:
        """Minutes before this one are closed; None before the first comment."""
        state = self.state
        return None if state.latest is None else state.closed_until

    def add(self, scored: ScoredComment, received_at: datetime | None = None) -> tuple[bool, bool]:
        """Count one comment in the minute in which it says it was written.

        Args:
            scored: the comment.
            received_at: when it was received (aware), which event time does not pass; None if that
                is not known.

        Returns:
            Whether it was late, and whether it repeats a comment of an open minute.
        """
        state = self.state
        minute, seconds = (
            minute_of(scored.comment.created_at),
            scored.comment.created_at.timestamp(),
        )
        reached = seconds if received_at is None else min(seconds, received_at.timestamp())
        if minute < state.closed_until:
            state.late += 1
            self.reach(reached)  # a silence may have closed the minute of the newest comment
            return True, False
        mark = mark_of(scored.comment)
        held = state.open.setdefault(minute, {})
        if mark in held:
            state.repeats += 1
            return False, True
        held[mark] = _entry(scored)
        self.reach(reached)
        return False, False

    def amend(self, scored: ScoredComment) -> bool:
        """Take the new text of a comment that was counted; whether its minute is still open."""
        held = self.state.open.get(minute_of(scored.comment.created_at), {})
        mark = mark_of(scored.comment)
        if mark not in held:
            return False
        held[mark] = _entry(scored)
        return True

    def reopen(self, comments: Iterable[ScoredComment]) -> None:
        """Make these the comments of the open minutes."""
        opened: dict[int, dict[str, _Entry]] = {}
        for scored in comments:
            minute = minute_of(scored.comment.created_at)
            opened.setdefault(minute, {})[mark_of(scored.comment)] = _entry(scored)
        self.state.open = opened

    def remember(self, texts: list[Signature]) -> None:
        """Take over the memory of near-duplicates that a recount of the closed minutes left."""
        self.state.texts = texts
        self._texts = RecentTexts(texts)

    def reach(self, seconds: float) -> None:
        """Event time is known to have reached `seconds` since 1970 UTC."""
        state = self.state
        if state.latest is None or seconds > state.latest:
            state.latest = seconds

    def close(self) -> list[WindowStats]:
        """The windows that the watermark has passed, in time order."""
        state = self.state
        if state.latest is None:
            return []
        until = int((state.latest - self._lateness.total_seconds()) // 60)
        if until <= state.closed_until:
            return []
        self.pass_to(until)
        return self._pop(until)

    def settle(self, until: int) -> list[WindowStats]:
        """The open windows before minute `until`, in time order; only minutes up to the last of
        them are closed.
        """
        found = self._pop(until)
        if found:
            self.pass_to(minute_of(found[-1].start) + 1)
        return found

    def pass_to(self, minute: int) -> None:
        """Take no comment before `minute` any more."""
        self.state.closed_until = max(self.state.closed_until, minute)

    def _pop(self, until: int) -> list[WindowStats]:
        due = sorted(minute for minute in self.state.open if minute < until)
        return [self._window(minute, self.state.open.pop(minute)) for minute in due]

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


def recount(
    kol_id: str, comments: Iterable[ScoredComment], texts: list[Signature]
) -> Iterator[WindowStats]:
    """Count closed minutes again: the windows of a counter that saw every comment in time.

    Args:
        kol_id: whose stream.
        comments: those of whole minutes, by the time of writing; of one instant in any order.
        texts: what the counter remembered before the first of them, oldest first;
            changed in place to what it remembers after the last.
    """
    counter = WindowCounter(kol_id, timedelta(0), CounterState(texts=texts))
    for scored in comments:
        minute = minute_of(scored.comment.created_at)
        if counter.state.open and minute not in counter.state.open:
            counter.reach(60.0 * minute)
            yield from counter.close()
        counter.add(scored)
    if counter.state.open:
        counter.reach(60.0 * (max(counter.state.open) + 1))
        yield from counter.close()


def signatures_of(comments: Iterable[ScoredComment]) -> list[Signature]:
    """The signatures of comments in the order of counting; short texts have none."""
    ordered = sorted(
        comments, key=lambda scored: (scored.comment.created_at, mark_of(scored.comment))
    )
    found = (signature_of(scored.comment) for scored in ordered)
    return [hashes for hashes in found if hashes]


def signature_of(comment: Comment) -> Signature:
    """The signature of a comment's text, also where the text was erased."""
    return signature(comment.text) if comment.fingerprint is None else comment.fingerprint


def mark_of(comment: Comment) -> str:
    """A hash of the comment's platform and id; orders comments of one instant."""
    return _short_hash(f"{comment.platform}\x1f{comment.comment_id}")


def _entry(scored: ScoredComment) -> _Entry:
    comment = scored.comment
    author = None if comment.author_id is None else _short_hash(comment.author_id)
    seconds = comment.created_at.timestamp()
    return seconds, scored.negative, scored.positive, author, signature_of(comment)


def _short_hash(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
