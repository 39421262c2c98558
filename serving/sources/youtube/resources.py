"""YouTube's resources as comments and posts."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serving.sources.faults import BadAnswer
from serving.sources.source_batch import SourceComment, SourcePost, SourceRemoval
from serving.storage.post_record import PostCounts, PostKind

Resource = Mapping[str, Any]
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)
_SPOKEN = {"textMessageEvent", "superChatEvent", "fanFundingEvent"}


def comment_of(resource: Resource, video_id: str | None = None) -> SourceComment:
    """A comment resource as a comment.

    Args:
        resource: of `comments`, or the top comment of a thread.
        video_id: where the resource does not say it.

    Raises:
        BadAnswer: something that the documentation promises is missing.
    """
    snippet = _part(resource, "snippet")
    published = _field(snippet, "publishedAt")
    updated = snippet.get("updatedAt") or published
    author = snippet.get("authorChannelId")
    # A deleted account has no channel; its name is what is left.
    known = author.get("value") if isinstance(author, Mapping) else None
    text = snippet.get("textOriginal")
    return SourceComment(
        comment_id=str(_field(resource, "id")),
        text=str(snippet.get("textDisplay", "") if text is None else text),
        created_at=published,
        post_id=snippet.get("videoId") or video_id,
        author_id=known or snippet.get("authorDisplayName") or None,
        parent_id=snippet.get("parentId"),
        likes=snippet.get("likeCount"),
        edited_at=updated if updated != published else None,
        removed=snippet.get("moderationStatus") == "rejected",
    )


def thread_of(resource: Resource) -> tuple[list[SourceComment], str | None, int]:
    """A thread's comments that it shows, top first; its video; how many replies it has.

    Raises:
        BadAnswer: as of `comment_of`.
    """
    snippet = _part(resource, "snippet")
    video = snippet.get("videoId")
    found = [comment_of(_part(snippet, "topLevelComment"), video)]
    shown = resource.get("replies")
    replies = shown.get("comments") if isinstance(shown, Mapping) else None
    found += [comment_of(reply, video) for reply in replies or ()]
    return found, video, int(snippet.get("totalReplyCount") or 0)


def video_of(resource: Resource, at: datetime) -> SourcePost:
    """A video as a post, with its counts now.

    Raises:
        BadAnswer: something that the documentation promises is missing.
    """
    snippet, video_id = _part(resource, "snippet"), str(_field(resource, "id"))
    counts = resource.get("statistics")
    counts = counts if isinstance(counts, Mapping) else {}
    return SourcePost(
        post_id=video_id,
        text=str(snippet.get("title") or ""),
        url=f"https://www.youtube.com/watch?v={video_id}",
        created_at=time_of(_field(snippet, "publishedAt")),
        kind=PostKind.LIVE if "liveStreamingDetails" in resource else PostKind.VIDEO,
        counts=PostCounts(
            at,
            likes=count_of(counts, "likeCount"),
            comments=count_of(counts, "commentCount"),
            views=count_of(counts, "viewCount"),
        ),
    )


def message_of(resource: Resource, video_id: str) -> SourceComment | SourceRemoval | None:
    """A message of a live chat; what it removes; None for what nobody says.

    Raises:
        BadAnswer: as of `comment_of`.
    """
    snippet = _part(resource, "snippet")
    kind, published = snippet.get("type"), _field(snippet, "publishedAt")
    removed = {
        "messageDeletedEvent": ("messageDeletedDetails", "deletedMessageId"),
        "messageRetractedEvent": ("messageRetractedDetails", "retractedMessageId"),
    }.get(str(kind))
    if removed is not None:
        message = _field(_part(snippet, removed[0]), removed[1])
        return SourceRemoval(str(message), time_of(published))
    if kind == "tombstone":
        return SourceRemoval(str(_field(resource, "id")), time_of(published))
    if kind not in _SPOKEN:
        return None
    return SourceComment(
        comment_id=str(_field(resource, "id")),
        text=str(snippet.get("displayMessage") or ""),
        created_at=published,
        post_id=video_id,
        author_id=snippet.get("authorChannelId"),
    )


def time_of(value: Any) -> datetime:
    """A time as YouTube writes it.

    Raises:
        BadAnswer: it is none, or has no zone.
    """
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadAnswer(f"YouTube wrote the time {value!r}") from None
    if found.tzinfo is None:
        raise BadAnswer(f"YouTube wrote the time {value!r} without a zone")
    return found


def moment_of(value: Any) -> datetime:
    """When a comment was written, to put it in order; the edge refuses a time without a zone."""
    return time_of(value if not isinstance(value, str) or _ZONE.search(value) else f"{value}Z")


def count_of(counts: Resource, name: str) -> int | None:
    """A count, which YouTube writes as text; None if it is hidden."""
    try:
        return int(counts[name])
    except (KeyError, TypeError, ValueError):
        return None


def _part(resource: Resource, name: str) -> Resource:
    found = resource.get(name)
    if not isinstance(found, Mapping):
        raise BadAnswer(f"YouTube's answer has no {name}")
    return found


def _field(resource: Resource, name: str) -> Any:
    if resource.get(name) is None:
        raise BadAnswer(f"YouTube's answer has no {name}")
    return resource[name]
