"""YouTube: comments, replies, live chats and videos of a channel, by the Data API."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from serving.sources.faults import AccountGone, PermissionLost
from serving.sources.quota import QuotaBudget
from serving.sources.registry import SourceType, register
from serving.sources.source import Poller, SourceCursor, SourcePreview
from serving.sources.source_batch import SourceBatch, SourceComment, SourceFollowers
from serving.sources.source_context import SourceContext
from serving.sources.source_pace import SourcePace
from serving.sources.youtube.access import YouTubeAccess, items_of
from serving.sources.youtube.live_chats import read_live_chat
from serving.sources.youtube.progress import (
    NewestScan,
    ReplyScan,
    VideoScan,
    YouTubeProgress,
    YouTubeStep,
    at,
)
from serving.sources.youtube.recheck import RECHECK_EVERY, recheck_threads
from serving.sources.youtube.refusals import (
    PACIFIC_DAY,
    CommentsDisabled,
    PageExpired,
    ProcessingFailure,
)
from serving.sources.youtube.resources import comment_of, count_of, moment_of, thread_of
from serving.sources.youtube.settings import YouTubeSpec, channel_filter
from serving.sources.youtube.uploads import read_uploads

_logger = structlog.get_logger(__name__)
_PAGE = 100  # threads or replies in an answer; the most there is
_OVERLAP = timedelta(minutes=5)  # threads may become visible later than they were written
_SWEEP_PAGES = 3  # of a video whose history is known
_NEWEST_EVERY = timedelta(seconds=15)
_LIST_AGAIN, _NEWEST_VIDEOS = timedelta(minutes=2), 10  # while the channel's list fails
_LIVE_HOURS = timedelta(hours=4)  # that a live chat may go on
_CHANNEL_EVERY = timedelta(hours=1)
_THREADS = {"part": "snippet,replies", "textFormat": "plainText", "maxResults": _PAGE}
_SEES = (
    "comments under all videos of the channel, their replies, likes and edits",
    "the KOL's own comments and replies",
    "videos with title, link, time and their counts over time, and the number of subscribers",
    "removed comments, of the 200 newest threads, within about 20 minutes",
)
_CANNOT_SEE = (
    "comments that wait for review or were taken for spam",
    "comments of private videos, and of posts on the channel's community page",
    "comments under other channels' videos, even if they name the KOL",
    "the history of videos older than the 200 newest",
    "removed replies, and new replies under threads that are neither among the 200 newest"
    " nor among the 300 newest of their video",
)


class YouTubeSource(Poller):
    """Reads a channel: each poll asks for one page of what is most urgent."""

    def __init__(self, spec: YouTubeSpec, context: SourceContext) -> None:
        """Prepare; nothing is asked yet."""
        self._spec = spec
        self._clock = context.clock
        self._pace = SourcePace(context.quota, context.clock)
        self._access = YouTubeAccess(spec, context)

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """Do the most urgent step."""
        now = self._clock.now()
        progress = YouTubeProgress.of(cursor, self._spec.channel, now)
        spare = await self._pace.has_spare()
        step = progress.next_step(now, spare=spare)
        batch = await self._do(step, progress, now) if step else SourceBatch()
        return SourceBatch(
            comments=batch.comments,
            removals=batch.removals,
            posts=batch.posts,
            followers=batch.followers,
            cursor=progress.model_dump(mode="json", exclude_defaults=True),
            more=progress.next_step(now, spare=spare) is not None,
            history=batch.history,
        )

    async def preview(self) -> SourcePreview:
        """Ask for the channel and its newest threads."""
        channel = await self._channel(channel_filter(self._spec.channel))
        threads, _ = await self._access.items(
            "/commentThreads",
            {**_THREADS, "maxResults": 10, "allThreadsRelatedToChannelId": channel["id"]},
        )
        comments = [thread_of(thread)[0][0] for thread in threads]
        live = ("live chats while they are on",) if self._spec.live_chat else ()
        return SourcePreview(
            account=f"{channel['snippet'].get('title')} (YouTube channel {channel['id']})",
            sees=(*_SEES, *live),
            cannot_see=_CANNOT_SEE,
            costs=(
                f"about 1,000 to 5,000 of {self._spec.units_a_day:,} units of quota a day without"
                " live chats, by how much is written; about 900 units for an hour of live chat",
                "history once: a unit for each video and each 100 comments, within 70% of a day's"
                " units",
                "no charge",
            ),
            comments=tuple(comments[:10]),
        )

    async def _do(self, step: YouTubeStep, progress: YouTubeProgress, now: datetime) -> SourceBatch:
        match step:
            case YouTubeStep.CHANNEL:
                return await self._read_channel(progress, now)
            case YouTubeStep.UPLOADS:
                return await read_uploads(
                    self._access, progress, now, live_chat=self._spec.live_chat
                )
            case YouTubeStep.LIVE:
                least = await self._pace.interval(_NEWEST_EVERY, 5, within=_LIVE_HOURS)
                return await read_live_chat(self._access, progress, now, least)
            case YouTubeStep.NEWEST:
                return await self._read_newest(progress, now)
            case YouTubeStep.REPLIES:
                return await self._read_replies(progress, now)
            case YouTubeStep.VIDEO:
                return await self._read_video(progress, now)
            case YouTubeStep.RECHECK:
                return await recheck_threads(self._access, progress, now)

    async def _channel(self, which: Mapping[str, str]) -> Mapping[str, Any]:
        found, _ = await self._access.items(
            "/channels", {"part": "snippet,statistics,contentDetails", **which}
        )
        if not found:
            raise AccountGone(f"YouTube has no channel {self._spec.channel}")
        return found[0]

    async def _read_channel(self, progress: YouTubeProgress, now: datetime) -> SourceBatch:
        # Once its id is known, a channel may have another handle.
        which = {"id": progress.channel} if progress.channel else channel_filter(progress.setting)
        channel = await self._channel(which)
        progress.channel = str(channel["id"])
        lists = channel.get("contentDetails", {}).get("relatedPlaylists", {})
        progress.uploads = lists.get("uploads")
        progress.wait(YouTubeStep.CHANNEL, now, _CHANNEL_EVERY)
        subscribers = count_of(channel.get("statistics", {}), "subscriberCount")
        if subscribers is None or channel["statistics"].get("hiddenSubscriberCount"):
            return SourceBatch()
        return SourceBatch(followers=[SourceFollowers(subscribers, now)])

    async def _read_newest(self, progress: YouTubeProgress, now: datetime) -> SourceBatch:
        """A page of the channel's threads, newest first, until the last known one."""
        scan = progress.newest or NewestScan()
        fresh = scan.token is None
        pause = await self._pace.interval(_NEWEST_EVERY, 1)
        try:
            answer = await self._access.get(
                "/commentThreads",
                {
                    **_THREADS,
                    "allThreadsRelatedToChannelId": progress.channel,
                    "order": "time",
                    "pageToken": scan.token,
                },
                etag=progress.newest_etag if fresh else None,
            )
        except (PageExpired, ProcessingFailure):
            if fresh:
                if not self._ask_videos_instead(progress, now):
                    raise
                return SourceBatch()
            # Begin with the first page again, up to the same thread: nothing is skipped.
            progress.newest, progress.newest_etag = None, None
            progress.wait(YouTubeStep.NEWEST, now, timedelta(0))
            return SourceBatch()
        progress.wait(YouTubeStep.NEWEST, now, pause)
        if answer.not_modified:
            return SourceBatch()
        threads, token = items_of(answer)
        comments = self._take_threads(threads, progress)
        written = [_written(thread).timestamp() for thread in threads]
        newest = max([scan.newest, *written])
        first = progress.known_until is None
        until = 0 if progress.known_until is None else progress.known_until
        # A page may be empty although more follow.
        caught_up = first or bool(written and min(written) <= until - _OVERLAP.total_seconds())
        if token is None or caught_up:
            progress.known_until = max(newest, until)
            progress.newest = None
            progress.newest_etag = answer.etag if fresh else None
        else:
            progress.newest = NewestScan(token=token, newest=newest)
        if first:
            progress.wait(YouTubeStep.RECHECK, now, RECHECK_EVERY)
        older = all(moment_of(one.created_at) < at(progress.started) for one in comments)
        return SourceBatch(comments=comments, history=first and older)

    def _ask_videos_instead(self, progress: YouTubeProgress, now: datetime) -> bool:
        """Ask the newest videos one by one: YouTube cannot list all threads of some channels."""
        schedule = progress.schedule()
        rows = sorted(schedule.as_json(), key=lambda row: -row["published"])[:_NEWEST_VIDEOS]
        for row in rows:
            schedule.ask_now(row["id"], now)
        progress.posts = schedule.as_json()
        progress.wait(YouTubeStep.NEWEST, now, _LIST_AGAIN)
        _logger.warning("youtube_list_failed", channel=progress.channel, videos=len(rows))
        return bool(rows)

    async def _read_video(self, progress: YouTubeProgress, now: datetime) -> SourceBatch:
        """A page of the threads of one video: its whole history at first, later a few pages."""
        schedule = progress.schedule()
        scan = progress.scan or VideoScan(video=schedule.due(now, 1)[0])
        unread = scan.video in progress.unread
        try:
            threads, token = await self._access.items(
                "/commentThreads",
                {**_THREADS, "videoId": scan.video, "order": "time", "pageToken": scan.token},
            )
        except (PageExpired, ProcessingFailure):
            if scan.token is None:
                raise
            progress.scan = VideoScan(video=scan.video)
            return SourceBatch()
        except CommentsDisabled:
            threads, token = [], None
        except AccountGone:  # it was deleted, perhaps in the middle of paging
            schedule.remove(scan.video)
            threads, token = [], None
        lately = (now - timedelta(hours=1)).timestamp()
        comments = self._take_threads(threads, progress)
        batch, whole = SourceBatch(comments=comments), True
        if unread:
            batch, whole = _by_age(comments, progress, fresh_sent=scan.fresh_sent)
        if not whole:
            progress.scan = scan.model_copy(update={"fresh_sent": True})
            return batch
        scan.stirs += sum(_written(thread).timestamp() >= lately for thread in threads)
        scan.pages += 1
        if token is not None and (unread or scan.pages < _SWEEP_PAGES):
            progress.scan = scan.model_copy(update={"token": token, "fresh_sent": False})
        else:
            progress.scan = None
            progress.unread = [video for video in progress.unread if video != scan.video]
            schedule.asked(scan.video, now, scan.stirs)
        progress.posts = schedule.as_json()
        return batch

    async def _read_replies(self, progress: YouTubeProgress, now: datetime) -> SourceBatch:
        """A page of the replies that a thread does not show."""
        scan = progress.replies.pop(0)
        try:
            found, token = await self._access.items(
                "/comments",
                {
                    "part": "snippet",
                    "parentId": scan.thread,
                    "textFormat": "plainText",
                    "maxResults": _PAGE,
                    "pageToken": scan.token,
                },
            )
        except (PageExpired, ProcessingFailure):
            if scan.token is None:
                raise
            progress.replies.insert(0, ReplyScan(thread=scan.thread, video=scan.video))
            return SourceBatch()
        except (AccountGone, PermissionLost):  # the thread was removed meanwhile
            return SourceBatch()
        comments = [comment_of(reply, scan.video) for reply in found]
        batch, whole = _by_age(comments, progress, fresh_sent=scan.fresh_sent)
        if not whole:
            progress.replies.insert(0, scan.model_copy(update={"fresh_sent": True}))
        elif token is not None:
            progress.replies.insert(0, ReplyScan(thread=scan.thread, video=scan.video, token=token))
        return batch

    def _take_threads(
        self, threads: list[Mapping[str, Any]], progress: YouTubeProgress
    ) -> list[SourceComment]:
        """The comments of threads; replies that they do not show are to be asked for."""
        found: list[SourceComment] = []
        for thread in threads:
            comments, video, replies = thread_of(thread)
            found += comments
            top = comments[0].comment_id
            before = progress.note_thread(top, video, replies, _written(thread).timestamp())
            waiting = any(one.thread == top for one in progress.replies)
            if replies > len(comments) - 1 and replies != before and not waiting:
                progress.replies.append(ReplyScan(thread=top, video=video))
        return found


def _by_age(
    comments: list[SourceComment], progress: YouTubeProgress, *, fresh_sent: bool
) -> tuple[SourceBatch, bool]:
    """The comments of a page that can go into one batch, and whether they are all.

    A batch is history or not. Of a page with both, the newer comments go first, and the page is
    asked for again.
    """
    fresh = [one for one in comments if moment_of(one.created_at) >= at(progress.started)]
    if len(fresh) == len(comments):
        return SourceBatch(comments=comments), True
    if fresh and not fresh_sent:
        return SourceBatch(comments=fresh), False
    known = {one.comment_id for one in fresh}
    older = [one for one in comments if one.comment_id not in known]
    return SourceBatch(comments=older, history=True), True


def _written(thread: Mapping[str, Any]) -> datetime:
    return moment_of(thread_of(thread)[0][0].created_at)


register(
    SourceType(
        name="youtube",
        title="YouTube",
        about="Comments, replies and live chats of a YouTube channel, with its videos' counts.",
        platform="youtube",
        source=YouTubeSource,
        spec=YouTubeSpec,
        build=YouTubeSource,
        example={"channel": "@lena-park", "api_key": "AIzaSyExampleExampleExampleExample1234"},
        budget=lambda spec: QuotaBudget(spec.units_a_day, PACIFIC_DAY, "units"),
    )
)
