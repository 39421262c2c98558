"""What a source of Reddit keeps in its cursor."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serving.sources.comment_ledger import CommentLedger
from serving.sources.post_schedule import PostSchedule
from serving.sources.source import SourceCursor


class RedditState:
    """Read from a cursor; what is missing is found anew.

    Attributes:
        since: when the source began; what is older is history.
        profile_at: when the profile was asked last.
        listings: how far each listing was read, by path.
        waiting: parts of long threads that are still to be asked for: post, kind, id.
        counts: comments that a listing said a post has.
        schedule: when each post is asked.
        ledger: the newest comments that were brought.
    """

    def __init__(self, cursor: SourceCursor | None, now: datetime) -> None:
        written = dict(cursor or {})
        self.since = float(written.get("since") or now.timestamp())
        self.profile_at = float(written.get("profile_at") or 0)
        self.listings: dict[str, dict[str, Any]] = dict(written.get("listings") or {})
        self.waiting: list[list[str]] = list(written.get("waiting") or ())
        self.counts: dict[str, int] = dict(written.get("counts") or {})
        self.schedule = PostSchedule.of(written.get("posts"))
        self.ledger = CommentLedger.of(written.get("ledger"))

    def as_json(self) -> Mapping[str, Any]:
        """For the cursor."""
        return {
            "since": self.since,
            "profile_at": self.profile_at,
            "listings": self.listings,
            "waiting": self.waiting,
            "counts": {one: n for one, n in self.counts.items() if one in self.schedule},
            "posts": self.schedule.as_json(),
            "ledger": self.ledger.as_json(),
        }
