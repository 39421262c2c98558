"""What Facebook says of changes in the feed of a page. Pure."""

from datetime import datetime

from serving.sources.graph_api.graph_client import optional_text, text_of, time_of
from serving.sources.graph_api.graph_records import CommentLookup
from serving.sources.graph_api.webhook_calls import STALE, GraphNotice
from serving.sources.source_batch import SourceComment, SourcePost, SourceRemoval

FeedChange = SourceComment | SourceRemoval | SourcePost | CommentLookup

_EDITED = frozenset({"edit", "edited", "update"})
_REMOVED = frozenset({"remove", "delete"})
_POSTS = frozenset(
    {"album", "event", "link", "note", "photo", "post", "reel", "share", "status", "video"}
)


def read_change(notice: GraphNotice, now: datetime) -> list[FeedChange]:
    """What a change brings.

    Hiding is not a removal: it is the work of the page's own team, and can be taken back.

    Raises:
        BadAnswer: it is not what the documentation says.
    """
    item = notice.value.get("item")
    if item == "comment":
        return _comment(notice, now)
    return _post(notice, now) if item in _POSTS else []


def _comment(notice: GraphNotice, now: datetime) -> list[FeedChange]:
    value, verb = notice.value, notice.value.get("verb")
    comment_id = text_of(value, "comment_id")
    post_id = optional_text(value, "post_id")
    if verb in _REMOVED:
        return [SourceRemoval(comment_id, notice.at)]
    if verb == "add" and now - notice.at > STALE:
        return [CommentLookup(notice.account_id, comment_id, post_id)]
    if verb != "add" and verb not in _EDITED:
        return []
    parent_id = optional_text(value, "parent_id")
    return [
        SourceComment(
            comment_id=comment_id,
            text=optional_text(value, "message") or "",
            created_at=time_of(value, "created_time"),
            post_id=post_id,
            author_id=optional_text(value, "from", "id"),
            parent_id=None if parent_id == post_id else parent_id,
            edited_at=notice.at if verb in _EDITED else None,
        )
    ]


def _post(notice: GraphNotice, now: datetime) -> list[FeedChange]:
    """A post of the page; or one of a visitor, which is like a comment."""
    value, verb = notice.value, notice.value.get("verb")
    post_id = text_of(value, "post_id")
    author_id = optional_text(value, "from", "id")
    is_own = author_id in {None, notice.account_id}
    if verb in _REMOVED:
        return [] if is_own else [SourceRemoval(post_id, notice.at)]
    if (verb != "add" and verb not in _EDITED) or value.get("published") == 0:
        return []
    text = optional_text(value, "message")
    created_at = time_of(value, "created_time")
    if is_own:
        url = optional_text(value, "permalink_url") or optional_text(value, "post", "permalink_url")
        # What an old call says of a post may be out of date; the list of posts is asked anyway.
        is_old = now - notice.at > STALE
        return [SourcePost(post_id, text=None if is_old else text, url=url, created_at=created_at)]
    return [
        SourceComment(
            comment_id=post_id,
            text=text or "",
            created_at=created_at,
            post_id=post_id,
            author_id=author_id,
            edited_at=notice.at if verb in _EDITED else None,
        )
    ]
