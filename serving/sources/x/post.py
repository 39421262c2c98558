"""Posts of X as records of comments and posts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serving.sources.faults import BadAnswer
from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts, PostKind

# Fields cost nothing. Expansions would: X bills each author and each post that comes with one.
FIELDS = (
    "author_id,conversation_id,created_at,edit_history_tweet_ids,in_reply_to_user_id,lang,"
    "public_metrics,referenced_tweets"
)


def read_post(
    found: Mapping[str, Any], user_id: str, handle: str, at: datetime
) -> SourceComment | SourcePost | None:
    """A post of the KOL, or a comment: a reply, a mention or a quote; None for a repost.

    Args:
        found: a post with the fields above.
        user_id: of the KOL's account.
        handle: of the KOL's account, without "@".
        at: when it was read.

    Raises:
        BadAnswer: it is not as the documentation of X says.
    """
    try:
        related = {one["type"]: one["id"] for one in found.get("referenced_tweets", ())}
        if "retweeted" in related:
            return None
        versions = found.get("edit_history_tweet_ids") or [found["id"]]
        author = found.get("author_id")
        root = found.get("conversation_id", versions[0])
        counts = found.get("public_metrics") or {}
        if author == user_id and "replied_to" not in related:
            return SourcePost(
                post_id=str(versions[0]),
                text=found["text"],
                url=f"https://x.com/{handle}/status/{found['id']}",
                created_at=_time(found["created_at"]),
                kind=PostKind.TEXT,
                counts=counts_of(counts, at),
            )
        answered = related.get("replied_to")
        return SourceComment(
            comment_id=str(versions[0]),
            text=found["text"],
            created_at=str(found["created_at"]),
            post_id=str(related.get("quoted", root) if answered is None else root),
            author_id=None if author is None else str(author),
            parent_id=None if answered is None or answered == root else str(answered),
            lang=_language(found.get("lang")),
            likes=counts.get("like_count"),
            edited_at=str(found["created_at"]) if len(versions) > 1 else None,
        )
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise BadAnswer(f"X sent a post that cannot be read: {error!r}") from None


def counts_of(counts: Mapping[str, Any], at: datetime) -> PostCounts:
    """What X counts of a post."""
    shares = [counts.get("retweet_count"), counts.get("quote_count")]
    return PostCounts(
        at=at,
        likes=counts.get("like_count"),
        comments=counts.get("reply_count"),
        shares=None if None in shares else sum(one or 0 for one in shares),
        views=counts.get("impression_count"),
    )


def _time(written: str) -> datetime:
    found = datetime.fromisoformat(written)
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found


def _language(written: object) -> str | None:
    # X has words of its own for what is no language: "und", "zxx", "qme", "qst".
    if not isinstance(written, str) or written in {"und", "zxx"} or written.startswith("q"):
        return None
    return written
