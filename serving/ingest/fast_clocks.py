"""Senders whose clock is fast: their comments claim to be from after their receipt."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.events import Comment

_LEAST = timedelta(seconds=30)  # a smaller lead is usual between two hosts
_REPORTED_FOR = timedelta(hours=1)
_MOST = 50  # platforms


@dataclass(frozen=True, slots=True)
class FastClock:
    """A platform whose comments claim to be from after their receipt.

    Attributes:
        platform: the platform.
        by: the greatest lead of the last hour.
        at: when a comment with that lead was received, aware, UTC.
    """

    platform: str
    by: timedelta
    at: datetime


class FastClocks:
    """What is reported of them, for an hour each."""

    def __init__(self) -> None:
        self._of: dict[str, FastClock] = {}

    def look(self, comments: Iterable[Comment], received_at: datetime) -> None:
        """Look at comments that are being committed."""
        for comment in comments:
            by = comment.created_at - received_at
            if by < _LEAST:
                continue
            before = self._of.get(comment.platform)
            if before is None and len(self._of) >= _MOST:
                self._of = {one.platform: one for one in self.reported(received_at)}
                if len(self._of) >= _MOST:
                    continue
            if before is None or by >= before.by or received_at - before.at >= _REPORTED_FOR:
                self._of[comment.platform] = FastClock(comment.platform, by, received_at)

    def reported(self, now: datetime) -> list[FastClock]:
        """Those seen in the last hour, by platform."""
        recent = (one for one in self._of.values() if now - one.at < _REPORTED_FOR)
        return sorted(recent, key=lambda one: one.platform)
