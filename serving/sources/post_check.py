"""Posts as platforms give them into posts as they are stored; what cannot be used is left out."""

from datetime import UTC, datetime, timedelta

from serving.ingest.comment import CLOCK_SKEW, MAX_LIKES, OLDEST
from serving.ingest.values import text
from serving.sources.source_batch import SourcePost
from serving.storage.post_record import PostCounts, SentPost

_MOST_ID, _MOST_URL, _MOST_TEXT = 256, 2000, 10_000  # characters


def checked_post(post: SourcePost, platform: str, kol_id: str, now: datetime) -> SentPost | None:
    """A post to be stored; None if its id cannot be used.

    Args:
        post: as the platform gives it.
        platform: where it was published.
        kol_id: who published it.
        now: the present instant; times after it, and before 2000, are left out.
    """
    post_id = text.storable(post.post_id.strip())
    if not 0 < len(post_id) <= _MOST_ID:
        return None
    counts = None if post.counts is None else _counts(post.counts, now)
    return SentPost(
        platform=platform,
        post_id=post_id,
        kols=frozenset({kol_id}),
        text=None if post.text is None else text.storable(post.text)[:_MOST_TEXT],
        url=_url(post.url),
        created_at=checked_time(post.created_at, now),
        kind=post.kind,
        counts=() if counts is None else (counts,),
    )


def checked_time(at: datetime | None, now: datetime) -> datetime | None:
    """An instant in UTC; None if it has no zone, or cannot be."""
    if at is None or at.tzinfo is None:
        return None
    try:
        found = at.astimezone(UTC)
    except OverflowError:
        return None
    return found if OLDEST <= found <= now + CLOCK_SKEW else None


def checked_count(value: int | None) -> int | None:
    """A count; None if it cannot be one."""
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and value is not None and 0 <= value <= MAX_LIKES else None


def _counts(counts: PostCounts, now: datetime) -> PostCounts:
    at = checked_time(counts.at, now + timedelta(seconds=1)) or now
    return PostCounts(
        min(at, now),
        likes=checked_count(counts.likes),
        comments=checked_count(counts.comments),
        shares=checked_count(counts.shares),
        views=checked_count(counts.views),
    )


def _url(url: str | None) -> str | None:
    if url is None or len(url) > _MOST_URL or not url.startswith(("https://", "http://")):
        return None
    return None if any(ord(letter) <= 32 for letter in url) else text.storable(url)
