"""When the latest comment on each KOL came, and how long a KOL has been silent since."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from monitoring.policy import Policy
from serving.pipeline.due_times import DueTimes
from serving.storage.pipeline_step import IdleMark
from serving.storage.rerun_store import NewestComment

_MINUTE = timedelta(minutes=1)
_LIVE = timedelta(hours=1)
_LONGEST_DELAY = timedelta(hours=6)  # for which a silence is waited with


class SilentKols(Protocol):
    """What the silence of a KOL may change in the engine."""

    def open_minute(self, kol_id: str) -> datetime | None:
        """The first minute of a KOL that is open; None if none is."""
        ...

    def gap_due(self, kol_id: str) -> datetime | None:
        """When the silence of a KOL is a data gap; None if it never is."""
        ...

    def has_crowd_alert(self, kol_id: str) -> bool:
        """Whether an alert on what the crowd says is open."""
        ...


@dataclass(slots=True)
class Presence:
    """When the latest comment on a KOL came: by the clock, and in event time.

    Attributes:
        received_at: when its latest comment was committed.
        created_at: event time of its latest comment.
        advanced_to: event time declared to have been reached since; None before the first mark.
        delay: how late comments on it normally arrive at most; None until it was looked up, and
            until then its event time does not go on by itself.
    """

    received_at: datetime
    created_at: datetime
    advanced_to: datetime | None = None
    delay: timedelta | None = None


class Presences:
    """The presence of every KOL, and when its silence is to be looked at next.

    A KOL is looked at when its silence may change something, so a look costs the same however many
    others there are.

    Args:
        policy: says how long a minute stays open and how short a data gap may be.
        engine: what silence may change.
        idle_after: silence after which event time goes on by the clock.
        started: when the service began to listen.
    """

    def __init__(
        self, policy: Policy, engine: SilentKols, *, idle_after: timedelta, started: datetime
    ) -> None:
        self._policy = policy
        self._engine = engine
        self._idle_after = idle_after
        self._listening_from = started + policy.gap_least
        self._archived: frozenset[str] = frozenset()
        self._of: dict[str, Presence] = {}
        self._due = DueTimes()

    @property
    def archived(self) -> frozenset[str]:
        """KOLs whose silence is no data gap."""
        return self._archived

    @archived.setter
    def archived(self, kol_ids: Collection[str]) -> None:
        before, self._archived = self._archived, frozenset(kol_ids)
        for kol_id in before ^ self._archived:
            self.look_again(kol_id)

    def after_rerun(self, kol_id: str, newest: NewestComment | None) -> None:
        """A KOL was judged again: one without comments is dropped, one that is new is admitted."""
        if newest is None:
            self._of.pop(kol_id, None)
            self._due.drop(kol_id)
        elif kol_id not in self._of:
            self.remember(kol_id, created_at=newest.created_at, received_at=newest.received_at)
        else:
            self.look_again(kol_id)

    def get(self, kol_id: str) -> Presence | None:
        """The presence of a KOL; None if it has no comments."""
        return self._of.get(kol_id)

    def remember(self, kol_id: str, *, created_at: datetime, received_at: datetime) -> None:
        """A comment on a KOL came."""
        before = self._of.get(kol_id)
        latest = created_at if before is None else max(before.created_at, created_at)
        self._of[kol_id] = Presence(received_at, latest)
        self.look_again(kol_id)

    def look_again(self, kol_id: str) -> None:
        """Have the silence of a KOL be looked at as soon as it is one."""
        if (presence := self._of.get(kol_id)) is None or not _is_live(presence):
            self._due.drop(kol_id)
        else:
            self._due.set(kol_id, presence.received_at + self._idle_after)

    def is_due(self, now: datetime) -> bool:
        """Whether there is a silence to look at."""
        return self._due.is_due(now)

    def due(self, now: datetime, limit: int) -> list[str]:
        """At most so many silent KOLs to be looked at; each is to be given to `idle_mark` next."""
        return self._due.take(now, limit)

    def without_delay(self, kol_ids: Collection[str]) -> list[str]:
        """Those of some KOLs whose delay is to be looked up before `idle_mark`."""
        return [kol_id for kol_id in kol_ids if self._of[kol_id].delay is None]

    def set_delay(self, kol_id: str, delay: timedelta) -> None:
        """Say how late comments on a KOL normally arrive at most, until its next comment."""
        self._of[kol_id].delay = min(delay, _LONGEST_DELAY)

    def idle_mark(self, kol_id: str, now: datetime) -> IdleMark | None:
        """The idle mark of a silent KOL, if its silence changes something by now.

        After `idle_after` without a comment, a KOL's event time is assumed to go on by the clock:
        as far as closes its last minute, and as far as its silence is a data gap; without end while
        it has an open alert on what the crowd says. That is so for live streams only: when old
        comments are sent later, a pause of the sender says nothing about the crowd. A pause of the
        service says nothing either: after a start, senders get time to send what they kept, before
        a silence ends an alert or is a gap. Past the last minute, event time goes on only as far as
        the comments of the KOL's slowest platform normally have arrived: so an alert does not end
        between two polls of a platform that is polled every hour.

        A KOL without a mark is looked at again when its silence may change something, one with a
        mark after `advanced`.

        Args:
            kol_id: a KOL that was `due`, whose delay is known.
            now: the present instant.
        """
        presence = self._of[kol_id]
        assert presence.delay is not None
        listening, due = now >= self._listening_from, self._engine.gap_due(kol_id)
        reached = presence.created_at + (now - presence.received_at)
        settled = self._settled(presence)
        reached = min(reached, max(settled, now - presence.delay))
        if not listening or not self._engine.has_crowd_alert(kol_id):
            closing = self._closing(kol_id, presence)
            is_archived = kol_id in self._archived
            if listening and due is not None and due <= reached and not is_archived:
                reached = due
            elif closing is not None and closing <= reached:
                reached = min(reached, settled)
            else:
                self._look_later(kol_id, now)
                return None
        if kol_id in self._archived and due is not None:
            reached = min(reached, due - _MINUTE)
        reached = reached.replace(second=0, microsecond=0)
        if reached > (presence.advanced_to or presence.created_at):
            return IdleMark(kol_id, reached)
        self._look_later(kol_id, now)
        return None

    def advanced(self, mark: IdleMark) -> None:
        """The engine has taken an idle mark."""
        if (presence := self._of.get(mark.kol_id)) is not None:
            presence.advanced_to = mark.reached
            at = self._next_look(mark.kol_id, presence) if _is_live(presence) else None
            self._look_at(mark.kol_id, at)

    def _look_later(self, kol_id: str, now: datetime) -> None:
        """Have a KOL whose silence changes nothing by now be looked at later."""
        at = self._next_look(kol_id, self._of[kol_id])
        self._look_at(kol_id, now + _MINUTE if at is not None and at <= now else at)

    def _look_at(self, kol_id: str, at: datetime | None) -> None:
        if at is None:
            self._due.drop(kol_id)
        else:
            self._due.set(kol_id, at)

    def _next_look(self, kol_id: str, presence: Presence) -> datetime | None:
        """When the silence of a KOL may next change something; None if it never does."""
        settled, delay = self._settled(presence), presence.delay or timedelta()
        if (closing := self._closing(kol_id, presence)) is not None:
            return presence.received_at + (closing - presence.created_at)
        due = self._engine.gap_due(kol_id)
        if self._engine.has_crowd_alert(kol_id):
            reached = presence.advanced_to or presence.created_at
            following = reached.replace(second=0, microsecond=0) + _MINUTE
            if due is not None and due <= following and kol_id in self._archived:
                return None
        elif due is None or kol_id in self._archived:
            return None
        else:
            following = due
        at = presence.received_at + (following - presence.created_at)
        if following > settled:
            at = max(at, following + delay)
        return max(at, self._listening_from)

    def _closing(self, kol_id: str, presence: Presence) -> datetime | None:
        """The event time that closes the first minute that is open; None if none is.

        None as well for minutes after that of the latest comment: a silence does not close them.
        """
        opened = self._engine.open_minute(kol_id)
        if opened is None:
            return None
        closing = opened + _MINUTE + self._policy.lateness
        return closing if closing <= self._settled(presence) else None

    def _settled(self, presence: Presence) -> datetime:
        """Event time that closes the minute of its latest comment."""
        return presence.created_at + _MINUTE + self._policy.lateness


def _is_live(presence: Presence) -> bool:
    """Whether its latest comment came soon after it was written."""
    return presence.received_at - presence.created_at <= _LIVE
