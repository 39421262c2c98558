"""Live chats, for as long as they are on."""

from datetime import datetime, timedelta

from serving.sources.faults import PermissionLost
from serving.sources.source_batch import SourceBatch, SourceComment, SourceRemoval
from serving.sources.youtube.access import YouTubeAccess, items_of
from serving.sources.youtube.progress import YouTubeProgress
from serving.sources.youtube.refusals import LiveChatEnded, PageExpired, ProcessingFailure
from serving.sources.youtube.resources import message_of, time_of

_COST = 5  # units of a request
_MESSAGES = 2000


async def read_live_chat(
    access: YouTubeAccess, progress: YouTubeProgress, now: datetime, least: timedelta
) -> SourceBatch:
    """What was written in the chat that is due; a chat that ended is left.

    Args:
        access: the API.
        progress: where the source is.
        now: the present instant.
        least: the shortest interval that the quota allows.

    Raises:
        SourceFault: YouTube refused or answered badly.
    """
    live = min(progress.lives, key=lambda one: one.due)
    try:
        answer = await access.get(
            "/liveChat/messages",
            {
                "part": "snippet",
                "liveChatId": live.chat,
                "maxResults": _MESSAGES,
                "pageToken": live.token,
            },
            cost=_COST,
        )
    except (LiveChatEnded, PermissionLost):  # it ended, or only members may read it
        progress.lives.remove(live)
        return SourceBatch()
    except (PageExpired, ProcessingFailure):
        if live.token is None:
            raise
        live.token = None  # YouTube then gives the chat's last messages
        return SourceBatch()
    found, token = items_of(answer)
    body = answer.object()
    wanted = timedelta(milliseconds=_number(body.get("pollingIntervalMillis")))
    live.token = token or live.token
    live.due = (now + max(wanted, least)).timestamp()
    messages = [message_of(one, live.video) for one in found]
    ended = any(one.get("snippet", {}).get("type") == "chatEndedEvent" for one in found)
    if ended or body.get("offlineAt"):
        progress.lives.remove(live)
    comments = [one for one in messages if isinstance(one, SourceComment)]
    old = [one for one in comments if time_of(one.created_at).timestamp() < progress.started]
    return SourceBatch(
        comments=comments,
        removals=[one for one in messages if isinstance(one, SourceRemoval)],
        history=bool(comments) and len(old) == len(comments),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
