"""Where a TikTok source is: its cursor. Times are seconds since 1970."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from serving.sources.post_schedule import PostSchedule
from serving.sources.source_batch import SourceBatch, SourceComment

VIDEOS = 200
_LEAST, _MOST = timedelta(seconds=60), timedelta(hours=6)


class TikTokStep(StrEnum):
    """What one poll does, in order of urgency."""

    ACCOUNT = "account"
    VIDEOS = "videos"
    WANTED = "wanted"
    REPLIES = "replies"
    VIDEO = "video"
    HISTORY = "history"


class TikTokScan(BaseModel):
    """On the way through the comments of a video, or through the replies of a comment."""

    video: str
    comment: str | None = None
    cursor: int = 0
    seen: int = 0
    newest: float = 0
    stirs: int = 0
    stale: int = 0
    fresh_sent: bool = False


class TikTokProgress(BaseModel):
    """The cursor.

    Attributes:
        account: whose; another account begins anew.
        started: when the account was connected; older comments are history.
        asked: number of the last comments that a call named and that came.
        known: by video, the time of the newest comment up to which all came since `started`.
        unread: videos whose history did not come yet.
        scan: of the video that is due.
        history: of the first unread video.
        waiting: comments whose replies are to be asked for.
        totals: comments by video, as TikTok counts them.
        replies: how many replies comments had, by id, of the newest that have more than they show.
    """

    account: str
    started: float
    asked: int = 0
    account_due: float = 0
    videos_due: float = 0
    videos_cursor: int | None = None
    videos_read: bool = False
    posts: list[dict[str, Any]] = Field(default_factory=list)
    known: dict[str, float] = Field(default_factory=dict)
    totals: dict[str, int] = Field(default_factory=dict)
    unread: list[str] = Field(default_factory=list)
    scan: TikTokScan | None = None
    history: TikTokScan | None = None
    waiting: list[TikTokScan] = Field(default_factory=list)
    replies: dict[str, int] = Field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Mapping[str, Any] | None, account: str, now: datetime) -> "TikTokProgress":
        """Read a cursor; one that cannot be read, or of another account, begins anew."""
        if cursor is not None:
            try:
                found = cls.model_validate(cursor)
            except ValidationError:
                pass
            else:
                if found.account == account:
                    return found
        return cls(account=account, started=now.timestamp())

    def next_step(self, now: datetime, *, spare: bool, wanted: bool) -> TikTokStep | None:
        """The most urgent step that is due.

        Args:
            now: the present instant.
            spare: whether there are requests for what can wait until tomorrow.
            wanted: whether calls named comments that did not come yet.
        """
        seconds = now.timestamp()
        due = {
            TikTokStep.ACCOUNT: self.account_due <= seconds,
            TikTokStep.VIDEOS: self.videos_due <= seconds or self.videos_cursor is not None,
            TikTokStep.WANTED: wanted,
            TikTokStep.REPLIES: bool(self.waiting),
            TikTokStep.VIDEO: self.scan is not None or self.due_video(now) is not None,
            TikTokStep.HISTORY: spare and bool(self.unread),
        }
        return next((step for step in TikTokStep if due[step]), None)

    def due_video(self, now: datetime) -> str | None:
        """The video that is to be asked for new comments."""
        due = self.schedule().due(now, VIDEOS)
        return next((video for video in due if video in self.known), None)

    def schedule(self) -> PostSchedule:
        """The videos and when each is to be asked."""
        return PostSchedule.of(self.posts, least=_LEAST, most=_MOST)

    def drop(self, video: str) -> None:
        """A video is not there any more."""
        schedule = self.schedule()
        schedule.remove(video)
        self.posts = schedule.as_json()
        self.known.pop(video, None)
        self.unread = [one for one in self.unread if one != video]
        self.totals.pop(video, None)
        self.waiting = [one for one in self.waiting if one.video != video]

    def note_replies(self, comment: str, replies: int) -> bool:
        """Note how many replies a comment has; whether that is new."""
        before = self.replies.pop(comment, 0)
        self.replies[comment] = replies
        while len(self.replies) > VIDEOS:
            del self.replies[next(iter(self.replies))]
        return replies != before

    def by_age(
        self, comments: list[SourceComment], *, fresh_sent: bool
    ) -> tuple[SourceBatch, bool]:
        """The comments of a page that can go into one batch, and whether they are all.

        A batch is history or not. Of a page with both, the newer comments go first, and the page
        is asked for again.
        """
        fresh = [one for one in comments if float(str(one.created_at)) >= self.started]
        if len(fresh) == len(comments):
            return SourceBatch(comments=comments), True
        if fresh and not fresh_sent:
            return SourceBatch(comments=fresh), False
        known = {one.comment_id for one in fresh}
        older = [one for one in comments if one.comment_id not in known]
        return SourceBatch(comments=older, history=True), True
