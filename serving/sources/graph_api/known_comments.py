"""Which comments were there, so that those that are gone can be noticed. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

_POSTS = 8
_COMMENTS = 100


@dataclass(frozen=True, slots=True)
class KnownComment:
    """A comment that was there.

    Attributes:
        at: when it was written, seconds since 1970.
        parent_id: the comment that it answers.
        text: the first letters of a hash of its text.
    """

    at: float
    parent_id: str | None
    text: str


class KnownComments:
    """The newest comments of the posts that were read last."""

    def __init__(self) -> None:
        self._posts: dict[str, dict[str, KnownComment]] = {}

    def add(self, post_id: str, comment_id: str, known: KnownComment) -> None:
        """Note that a comment is there."""
        found = self._posts.pop(post_id, {})
        found[comment_id] = known
        if len(found) > _COMMENTS:
            del found[min(found, key=lambda one: found[one].at)]
        self._posts[post_id] = found
        if len(self._posts) > _POSTS:
            del self._posts[next(iter(self._posts))]

    def get(self, post_id: str, comment_id: str) -> KnownComment | None:
        """A comment that was there."""
        return self._posts.get(post_id, {}).get(comment_id)

    def replies_to(self, post_id: str, comment_id: str) -> list[str]:
        """The comments that answer one."""
        rows = self._posts.get(post_id, {}).items()
        return [reply_id for reply_id, one in rows if one.parent_id == comment_id]

    def discard(self, post_id: str, comment_id: str) -> None:
        """A comment is gone."""
        self._posts.get(post_id, {}).pop(comment_id, None)

    def drop(self, post_id: str) -> None:
        """A post is gone."""
        self._posts.pop(post_id, None)

    def missing(
        self,
        post_id: str,
        there: Collection[str],
        *,
        upper: float | None,
        lower: float | None,
        whole: Collection[str],
        flat: bool,
    ) -> list[str]:
        """Comments that should be on a page and are not, the newest first.

        Args:
            post_id: of the page.
            there: the ids on the page.
            upper: the page holds what is older than this; None for the first page.
            lower: the page holds what is newer than this; None for the last page.
            whole: comments of the page all of whose replies are on it.
            flat: whether replies are listed like other comments, by their time.
        """
        found = [
            (one.at, comment_id)
            for comment_id, one in self._posts.get(post_id, {}).items()
            if comment_id not in there
            and (
                (upper is None or one.at < upper) and (lower is None or one.at > lower)
                if flat or one.parent_id is None
                else one.parent_id in whole
            )
        ]
        return [comment_id for _, comment_id in sorted(found, reverse=True)]

    @classmethod
    def of(cls, written: object) -> "KnownComments":
        """Read them from a cursor; what cannot be read is left out."""
        found = cls()
        for post_id, rows in written.items() if isinstance(written, dict) else ():
            found._posts[str(post_id)] = {
                str(row[0]): KnownComment(float(row[1]), row[2], str(row[3])) for row in rows
            }
        return found

    def as_json(self, most: int = _COMMENTS) -> dict[str, list[list[Any]]]:
        """For a cursor, with the newest of each post."""
        return {
            post_id: [
                [comment_id, one.at, one.parent_id, one.text]
                for comment_id, one in sorted(
                    found.items(), key=lambda pair: pair[1].at, reverse=True
                )[:most]
            ]
            for post_id, found in self._posts.items()
        }
