"""When each post is asked for comments: one that stirs often, an old one seldom. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

LEAST = timedelta(seconds=30)
MOST = timedelta(hours=6)
_NEW = timedelta(hours=6)  # a post younger than this is asked every few minutes at least
_NEW_MOST = timedelta(minutes=5)
_DROPPED = timedelta(days=60)  # a silent post older than this is not asked any more
_POSTS = 2000


@dataclass(frozen=True, slots=True)
class ScheduledPost:
    """A post and when it is to be asked.

    Attributes:
        post_id: the platform's id.
        published_at: when it was published, aware.
        next_at: when it is to be asked, aware.
        interval: until the time after that.
        last_comment_at: when it last brought a comment, aware; None if it never did.
    """

    post_id: str
    published_at: datetime
    next_at: datetime
    interval: timedelta = LEAST
    last_comment_at: datetime | None = None


class PostSchedule:
    """The posts of an account; kept in the source's cursor.

    `PostSchedule.of(cursor.get("posts"))` reads it, `as_json()` writes it. A poller asks
    `due(now)` first, asks the platform for those posts, and says with `asked` what each brought.
    """

    def __init__(
        self,
        posts: Iterable[ScheduledPost] = (),
        *,
        least: timedelta = LEAST,
        most: timedelta = MOST,
    ) -> None:
        """Begin with posts.

        Args:
            posts: in any order.
            least: the shortest interval.
            most: the longest interval.
        """
        self._posts = {post.post_id: post for post in posts}
        self._least = least
        self._most = most

    @classmethod
    def of(
        cls, written: object, *, least: timedelta = LEAST, most: timedelta = MOST
    ) -> "PostSchedule":
        """Read it from a cursor; what cannot be read is left out and found anew."""
        found = []
        for row in written if isinstance(written, list) else ():
            try:
                found.append(_read(row))
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
                continue
        return cls(found, least=least, most=most)

    def as_json(self) -> list[dict[str, Any]]:
        """For a cursor."""
        return [_write(post) for post in self._posts.values()]

    def __contains__(self, post_id: object) -> bool:
        return post_id in self._posts

    def __len__(self) -> int:
        return len(self._posts)

    def add(self, post_id: str, published_at: datetime, now: datetime) -> bool:
        """Ask a post from now on; whether it is new. Of more than 2,000, the oldest are left."""
        if post_id in self._posts:
            return False
        self._posts[post_id] = ScheduledPost(post_id, published_at, now, self._least)
        if len(self._posts) > _POSTS:
            oldest = min(
                self._posts.values(), key=lambda post: post.last_comment_at or post.published_at
            )
            del self._posts[oldest.post_id]
        return post_id in self._posts

    def remove(self, post_id: str) -> None:
        """Never ask a post again: it was deleted."""
        self._posts.pop(post_id, None)

    def due(self, now: datetime, most: int = 50) -> list[str]:
        """The posts to be asked now, the longest due first."""
        found = sorted(
            (post for post in self._posts.values() if post.next_at <= now),
            key=lambda post: post.next_at,
        )
        return [post.post_id for post in found[:most]]

    def ask_now(self, post_id: str, now: datetime) -> None:
        """Ask a post at once: something says that it stirs, such as a greater count."""
        if (post := self._posts.get(post_id)) is not None:
            self._posts[post_id] = replace(post, next_at=now, interval=self._least)

    def asked(self, post_id: str, now: datetime, new_comments: int) -> None:
        """Note what a post brought, and decide when it is asked next.

        With new comments the interval falls to a quarter, or to the shortest for more than ten;
        without any it grows by half. A young post is asked every five minutes at least.
        """
        post = self._posts.get(post_id)
        if post is None:
            return
        last = now if new_comments else post.last_comment_at
        if now - max(post.published_at, last or post.published_at) > _DROPPED:
            del self._posts[post_id]
            return
        if new_comments > 10:
            interval = self._least
        else:
            interval = post.interval / 4 if new_comments else post.interval * 1.5
        longest = min(self._most, _NEW_MOST) if now - post.published_at < _NEW else self._most
        interval = max(self._least, min(interval, longest))
        self._posts[post_id] = replace(
            post, next_at=now + interval, interval=interval, last_comment_at=last
        )

    def next_at(self) -> datetime | None:
        """When the next post is due; None without posts."""
        return min((post.next_at for post in self._posts.values()), default=None)


def _read(row: Mapping[str, Any]) -> ScheduledPost:
    last = row.get("last")
    return ScheduledPost(
        post_id=str(row["id"]),
        published_at=datetime.fromtimestamp(float(row["published"]), UTC),
        next_at=datetime.fromtimestamp(float(row["next"]), UTC),
        interval=timedelta(seconds=float(row["every"])),
        last_comment_at=None if last is None else datetime.fromtimestamp(float(last), UTC),
    )


def _write(post: ScheduledPost) -> dict[str, Any]:
    return {
        "id": post.post_id,
        "published": round(post.published_at.timestamp()),
        "next": round(post.next_at.timestamp()),
        "every": round(post.interval.total_seconds()),
        "last": None if post.last_comment_at is None else round(post.last_comment_at.timestamp()),
    }
