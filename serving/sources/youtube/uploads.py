"""The videos of a channel: posts with counts, live chats that began, comments that were missed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from serving.sources.faults import AccountGone
from serving.sources.post_schedule import PostSchedule
from serving.sources.source_batch import SourceBatch, SourcePost
from serving.sources.youtube.access import YouTubeAccess
from serving.sources.youtube.progress import VIDEOS, LiveChat, YouTubeProgress, YouTubeStep
from serving.sources.youtube.refusals import PageExpired, ProcessingFailure
from serving.sources.youtube.resources import video_of

_EVERY, _EVERY_WHILE_LIVE = timedelta(minutes=10), timedelta(minutes=2)
_OLD = timedelta(days=60)  # silent videos older than this are asked for only if their count rises
_PARTS = "snippet,statistics,liveStreamingDetails"


async def read_uploads(
    access: YouTubeAccess, progress: YouTubeProgress, now: datetime, *, live_chat: bool
) -> SourceBatch:
    """The 50 newest videos; at first, page by page, the 200 newest.

    Raises:
        SourceFault: YouTube refused or answered badly.
    """
    first_page = progress.uploads_token is None
    progress.wait(YouTubeStep.UPLOADS, now, _EVERY)
    if progress.uploads is None:
        progress.uploads_read = True
        return SourceBatch()
    try:
        found, token = await access.items(
            "/playlistItems",
            {
                "part": "contentDetails",
                "playlistId": progress.uploads,
                "maxResults": 50,
                "pageToken": progress.uploads_token,
            },
        )
    except AccountGone:  # a channel without videos has no list of them
        progress.uploads_read = True
        return SourceBatch()
    except (PageExpired, ProcessingFailure):
        if first_page:
            raise
        progress.uploads_token = None
        progress.wait(YouTubeStep.UPLOADS, now, timedelta(0))
        return SourceBatch()
    ids = [str(one.get("contentDetails", {}).get("videoId")) for one in found]
    videos = await _videos(access, ids)
    posts = [video_of(video, now) for video in videos]
    schedule = progress.schedule()
    for post in posts:
        _plan(post, schedule, progress, now, first_page=first_page)
    for gone in set(ids) - {post.post_id for post in posts}:
        schedule.remove(gone)  # private or deleted, although the list has it still
        progress.unread = [video for video in progress.unread if video != gone]
    if first_page:
        progress.totals = {video: progress.totals.get(video, 0) for video in ids}
        progress.brought = {}
    if live_chat:
        _note_lives(videos, progress, now)
    progress.posts = schedule.as_json()
    more = token is not None and not progress.uploads_read and len(schedule) < VIDEOS
    progress.uploads_token = token if more else None
    progress.uploads_read = progress.uploads_read or not more
    return SourceBatch(posts=posts)


async def _videos(access: YouTubeAccess, ids: list[str]) -> list[Mapping[str, Any]]:
    if not ids:
        return []
    return (await access.items("/videos", {"part": _PARTS, "id": ",".join(ids)}))[0]


def _plan(
    post: SourcePost,
    schedule: PostSchedule,
    progress: YouTubeProgress,
    now: datetime,
    *,
    first_page: bool,
) -> None:
    """Decide whether a video is asked for comments, and whether at once."""
    video, written = post.post_id, post.created_at or now
    count = (post.counts.comments if post.counts else None) or 0
    if first_page:
        # More comments than came: replies under old threads, or what became visible late.
        before, came = progress.totals.get(video), progress.brought.get(video, 0)
        progress.totals[video] = count
        if before is not None and count - before > came:
            schedule.add(video, written, now)
            schedule.ask_now(video, now)
    known = video in schedule
    if known or (len(schedule) >= VIDEOS and not progress.uploads_read):
        return
    if progress.uploads_read and now - written > _OLD:
        return
    if schedule.add(video, written, now):
        progress.unread.append(video)
    while len(schedule) > VIDEOS:
        oldest = min(schedule.as_json(), key=lambda row: row["last"] or row["published"])
        schedule.remove(oldest["id"])


def _note_lives(videos: list[Mapping[str, Any]], progress: YouTubeProgress, now: datetime) -> None:
    on = {live.chat for live in progress.lives}
    soon = False
    for video in videos:
        details = video.get("liveStreamingDetails")
        if not isinstance(details, Mapping):
            continue
        chat = details.get("activeLiveChatId")
        soon = soon or not details.get("actualEndTime")
        if chat and str(chat) not in on:
            progress.lives.append(LiveChat(chat=str(chat), video=str(video.get("id"))))
    if soon:
        progress.wait(YouTubeStep.UPLOADS, now, _EVERY_WHILE_LIVE)
