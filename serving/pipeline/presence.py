"""When the latest comment on each KOL came, and how long a KOL has been silent since."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.policy import Policy
from serving.storage.pipeline_step import IdleMark
from serving.storage.rerun_store import NewestComment

_MINUTE = timedelta(minutes=1)
_LIVE = timedelta(hours=1)
_LONGEST_DELAY = timedelta(hours=6)  # for which a silence is waited with


@dataclass(slots=True)
class Presence:
    """When the latest comment on a KOL came: by the clock, and in event time.

    Attributes:
        received_at: when its latest comment was committed.
        created_at: event time of its latest comment.
        advanced_to: event time declared to have been reached since; None before the first mark.
        gap_due: event time at which its silence is a data gap; None if it never is.
        delay: how late comments on it normally arrive at most; None until it was looked up, and
            until then its event time does not go on by itself.
    """

    received_at: datetime
    created_at: datetime
    advanced_to: datetime | None = None
    gap_due: datetime | None = None
    delay: timedelta | None = None


class Presences:
    """The presence of every KOL.

    Args:
        policy: says how long a minute stays open and how short a data gap may be.
        idle_after: silence after which event time goes on by the clock.
        started: when the service began to listen.
    """

    def __init__(self, policy: Policy, *, idle_after: timedelta, started: datetime) -> None:
        self._policy = policy
        self._idle_after = idle_after
        self._started = started
        self.archived: Collection[str] = ()  # KOLs whose silence is no data gap
        self._of: dict[str, Presence] = {}

    def clear(self) -> None:
        """Drop every KOL."""
        self._of.clear()

    def after_rerun(self, kol_id: str, newest: NewestComment | None) -> None:
        """A KOL was judged again: one without comments is dropped, one that is new is admitted."""
        if newest is None:
            self._of.pop(kol_id, None)
        elif kol_id not in self._of:
            self.remember(kol_id, created_at=newest.created_at, received_at=newest.received_at)

    def get(self, kol_id: str) -> Presence | None:
        """The presence of a KOL; None if it has no comments."""
        return self._of.get(kol_id)

    def remember(self, kol_id: str, *, created_at: datetime, received_at: datetime) -> None:
        """A comment on a KOL came."""
        before = self._of.get(kol_id)
        latest = created_at if before is None else max(before.created_at, created_at)
        self._of[kol_id] = Presence(received_at, latest)

    def without_delay(self, now: datetime) -> list[str]:
        """The silent KOLs whose delay is to be looked up before `idle_marks`."""
        return [
            kol_id
            for kol_id, presence in self._of.items()
            if presence.delay is None and self._is_silent(presence, now)
        ]

    def set_delay(self, kol_id: str, delay: timedelta) -> None:
        """Say how late comments on a KOL normally arrive at most, until its next comment."""
        self._of[kol_id].delay = min(delay, _LONGEST_DELAY)

    def idle_marks(self, now: datetime, alerted: Collection[str]) -> Iterator[IdleMark]:
        """Idle marks for the KOLs whose silence changes something.

        After `idle_after` without a comment, a KOL's event time is assumed to go on by the clock:
        as far as closes its last minute, and as far as its silence is a data gap; without end while
        it has an open alert on what the crowd says. That is so for live streams only: when old
        comments are sent later, a pause of the sender says nothing about the crowd. A pause of the
        service says nothing either: after a start, senders get time to send what they kept, before
        a silence ends an alert or is a gap. Past the last minute, event time goes on only as far as
        the comments of the KOL's slowest platform normally have arrived: so an alert does not end
        between two polls of a platform that is polled every hour.

        Args:
            now: the present instant.
            alerted: the KOLs with an open alert on what the crowd says.
        """
        listening = now - self._started >= self._policy.gap_least
        for kol_id, presence in self._of.items():
            if presence.delay is None or not self._is_silent(presence, now):
                continue
            reached = presence.created_at + (now - presence.received_at)
            settled = presence.created_at + _MINUTE + self._policy.lateness
            reached = min(reached, max(settled, now - presence.delay))
            if kol_id not in alerted or not listening:
                due = presence.gap_due if listening else None
                reached = due if due is not None and due <= reached else min(reached, settled)
            if kol_id in self.archived and presence.gap_due is not None:
                reached = min(reached, presence.gap_due - _MINUTE)
            reached = reached.replace(second=0, microsecond=0)
            if reached > (presence.advanced_to or presence.created_at):
                yield IdleMark(kol_id, reached)

    def _is_silent(self, presence: Presence, now: datetime) -> bool:
        """Whether a live stream has brought no comment for a while."""
        live = presence.received_at - presence.created_at <= _LIVE
        return live and now - presence.received_at >= self._idle_after
