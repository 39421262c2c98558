"""Where a YouTube source is: its cursor, and which step is next. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from serving.sources.post_schedule import PostSchedule

THREADS = 200  # recent threads that are asked again for edits, removals and replies
VIDEOS = 200  # whose comments are asked for
SWEEP_LEAST, SWEEP_MOST = timedelta(minutes=10), timedelta(days=1)


class YouTubeStep(StrEnum):
    """What one poll does, in order of urgency."""

    CHANNEL = "channel"
    UPLOADS = "uploads"
    LIVE = "live"
    NEWEST = "newest"
    REPLIES = "replies"
    VIDEO = "video"
    RECHECK = "recheck"


SPARE = {YouTubeStep.REPLIES, YouTubeStep.VIDEO, YouTubeStep.RECHECK}


class KnownThread(BaseModel):
    """A thread that came lately: its video, its replies, when it was written."""

    video: str | None = None
    replies: int = 0
    written: float = 0


class NewestScan(BaseModel):
    """On the way from the channel's newest thread to the last known one."""

    token: str | None = None
    newest: float = 0


class VideoScan(BaseModel):
    """On the way through the threads of a video."""

    video: str
    token: str | None = None
    pages: int = 0
    stirs: int = 0
    fresh_sent: bool = False


class ReplyScan(BaseModel):
    """Replies of a thread that it does not show."""

    thread: str
    video: str | None = None
    token: str | None = None
    fresh_sent: bool = False


class LiveChat(BaseModel):
    """A live chat that is on."""

    chat: str
    video: str
    token: str | None = None
    due: float = 0


class YouTubeProgress(BaseModel):
    """The cursor. Times are seconds since 1970.

    Attributes:
        setting: the channel as it was entered; another one begins anew.
        started: when the account was connected; older comments are history.
        due: when each step is due again.
        known_until: the time of the newest thread up to which all came.
        unread: videos whose history did not come yet.
        totals: comments of the newest videos, as YouTube counts them.
        brought: comments of them that came since.
    """

    setting: str
    started: float
    channel: str | None = None
    title: str = ""
    uploads: str | None = None
    uploads_token: str | None = None
    uploads_read: bool = False
    due: dict[str, float] = Field(default_factory=dict)
    known_until: float | None = None
    newest: NewestScan | None = None
    newest_etag: str | None = None
    posts: list[dict[str, Any]] = Field(default_factory=list)
    unread: list[str] = Field(default_factory=list)
    scan: VideoScan | None = None
    replies: list[ReplyScan] = Field(default_factory=list)
    threads: dict[str, KnownThread] = Field(default_factory=dict)
    lives: list[LiveChat] = Field(default_factory=list)
    totals: dict[str, int] = Field(default_factory=dict)
    brought: dict[str, int] = Field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Mapping[str, Any] | None, setting: str, now: datetime) -> "YouTubeProgress":
        """Read a cursor; one that cannot be read, or of another channel, begins anew."""
        if cursor is not None:
            try:
                found = cls.model_validate(cursor)
            except ValidationError:
                pass
            else:
                if found.setting == setting:
                    return found
        return cls(setting=setting, started=now.timestamp())

    def schedule(self) -> PostSchedule:
        """The videos and when each is to be asked."""
        return PostSchedule.of(self.posts, least=SWEEP_LEAST, most=SWEEP_MOST)

    def wait(self, step: YouTubeStep, now: datetime, pause: timedelta) -> None:
        """Do a step again after a pause."""
        self.due[step] = (now + pause).timestamp()

    def next_step(self, now: datetime, *, spare: bool) -> YouTubeStep | None:
        """The most urgent step that is due.

        Args:
            now: the present instant.
            spare: whether there is quota for what can wait until tomorrow.
        """
        for step in YouTubeStep:
            if (spare or step not in SPARE) and self._is_due(step, now):
                return step
        return None

    def note_thread(self, thread: str, video: str | None, replies: int, written: float) -> int:
        """Note a thread; how many replies it had before, -1 if it was not known."""
        before = self.threads.pop(thread, None)
        if video and before is not None:
            self.brought[video] = self.brought.get(video, 0) + max(0, replies - before.replies)
        elif video and written >= self.started:
            self.brought[video] = self.brought.get(video, 0) + 1 + replies
        self.threads[thread] = KnownThread(video=video, replies=replies, written=written)
        if len(self.threads) > THREADS:
            oldest = min(self.threads, key=lambda one: self.threads[one].written)
            del self.threads[oldest]
        return -1 if before is None else before.replies

    def _is_due(self, step: YouTubeStep, now: datetime) -> bool:
        seconds = now.timestamp()
        if self.channel is None:
            return step is YouTubeStep.CHANNEL
        if step is YouTubeStep.LIVE:
            return any(live.due <= seconds for live in self.lives)
        if step is YouTubeStep.NEWEST and self.newest is not None:
            return True
        if step is YouTubeStep.UPLOADS and self.uploads_token is not None:
            return True
        if step is YouTubeStep.REPLIES:
            return bool(self.replies)
        if step is YouTubeStep.VIDEO:
            return self.scan is not None or bool(self.schedule().due(now, 1))
        if step is YouTubeStep.RECHECK and not self.threads:
            return False
        return self.due.get(step, 0) <= seconds


def at(seconds: float) -> datetime:
    """An instant of a cursor, aware, UTC."""
    return datetime.fromtimestamp(seconds, UTC)
