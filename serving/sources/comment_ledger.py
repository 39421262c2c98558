"""The newest comments that a source brought, by post: what is new, what changed, what vanished."""

from collections.abc import Mapping
from typing import Any

_MOST = 1500


class CommentLedger:
    """Kept in a source's cursor, so that it says what was committed and nothing else.

    Of more than `most` comments those of the posts that were longest without a new one are left
    out: they are sent again, which changes nothing, and their removal is not noticed.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._posts: dict[str, dict[str, int]] = {}
        self._count = 0
        self._most = most

    @classmethod
    def of(cls, written: object, most: int = _MOST) -> "CommentLedger":
        """Read them from a cursor; what cannot be read is left out."""
        found = cls(most)
        for post_id, comments in written.items() if isinstance(written, dict) else ():
            for comment_id, likes in comments.items() if isinstance(comments, dict) else ():
                if isinstance(likes, int):
                    found.add(post_id, comment_id, likes)
        return found

    def as_json(self) -> Mapping[str, Any]:
        """For a cursor."""
        return {post_id: dict(comments) for post_id, comments in self._posts.items()}

    def on(self, post_id: str) -> Mapping[str, int]:
        """The likes of a post's comments, by id."""
        return self._posts.get(post_id, {})

    def add(self, post_id: str, comment_id: str, state: int | None) -> bool:
        """Note a comment; whether it is new or changed.

        Args:
            post_id: the post it is under.
            comment_id: its id.
            state: its likes, or any number that changes with it.
        """
        value = -1 if state is None else state
        comments = self._posts.get(post_id, {})
        if comments.get(comment_id) == value:
            return False
        if comment_id not in comments:
            self._count += 1
            self._posts.pop(post_id, None)  # the post moves to the end
            self._posts[post_id] = comments
        comments[comment_id] = value
        self._shorten()
        return True

    def remove(self, post_id: str, comment_id: str) -> None:
        """Drop a comment: it was removed."""
        if self._posts.get(post_id, {}).pop(comment_id, None) is not None:
            self._count -= 1

    def _shorten(self) -> None:
        while self._count > self._most:
            post_id, comments = next(iter(self._posts.items()))
            if len(self._posts) > 1:
                del self._posts[post_id]
                self._count -= len(comments)
            else:
                del comments[next(iter(comments))]
                self._count -= 1
