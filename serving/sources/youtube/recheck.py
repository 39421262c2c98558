"""Asks again for recent threads: edits, likes, replies, and whether they were removed."""

from datetime import datetime, timedelta

from serving.sources.source_batch import SourceBatch, SourceComment, SourceRemoval
from serving.sources.youtube.access import YouTubeAccess
from serving.sources.youtube.progress import ReplyScan, YouTubeProgress, YouTubeStep
from serving.sources.youtube.resources import thread_of

RECHECK_EVERY = timedelta(minutes=5)
_IDS = 50  # of one request


async def recheck_threads(
    access: YouTubeAccess, progress: YouTubeProgress, now: datetime
) -> SourceBatch:
    """The 50 recent threads that were asked for the longest ago.

    Raises:
        SourceFault: YouTube refused or answered badly.
    """
    progress.wait(YouTubeStep.RECHECK, now, RECHECK_EVERY)
    asked = list(progress.threads)[:_IDS]
    found, _ = await access.items(
        "/commentThreads",
        {"part": "snippet,replies", "textFormat": "plainText", "id": ",".join(asked)},
    )
    comments: list[SourceComment] = []
    answered = set()
    for resource in found:
        shown, video, replies = thread_of(resource)
        top = shown[0].comment_id
        answered.add(top)
        comments += shown
        before = progress.threads.get(top)
        waiting = any(one.thread == top for one in progress.replies)
        if before and replies > before.replies and replies > len(shown) - 1 and not waiting:
            progress.replies.append(ReplyScan(thread=top, video=video))
        if before:
            progress.note_thread(top, video, replies, before.written)
    missing = [thread for thread in asked if thread not in answered]
    removed = await _removed(access, progress, missing) if missing else []
    for thread in removed:
        del progress.threads[thread]
    for thread in asked:  # to the end of the line
        if thread in progress.threads:
            progress.threads[thread] = progress.threads.pop(thread)
    return SourceBatch(
        comments=comments, removals=[SourceRemoval(thread, now) for thread in removed]
    )


async def _removed(
    access: YouTubeAccess, progress: YouTubeProgress, missing: list[str]
) -> list[str]:
    """Which of the threads that were not answered were removed.

    A removal is for ever, so YouTube has to say it twice, and its video has to be there: the
    comments of a video that is private for an hour come back.
    """
    there, _ = await access.items(
        "/comments", {"part": "snippet", "textFormat": "plainText", "id": ",".join(missing)}
    )
    shown = {str(one.get("id")) for one in there}
    gone = [thread for thread in missing if thread not in shown]
    videos = {video for thread in gone if (video := progress.threads[thread].video)}
    if not videos:
        return []
    public, _ = await access.items("/videos", {"part": "id", "id": ",".join(sorted(videos))})
    there_still = {str(one.get("id")) for one in public}
    return [thread for thread in gone if progress.threads[thread].video in there_still]
