"""Author ids as they are stored: as they were sent, or as keyed hashes."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace

from monitoring.events import Comment

HASHED = "hash-"


class AuthorIds:
    """Turns author ids into what is stored.

    The hash of an id is the same for ever, so authors are counted and recognised as before; only
    whoever has the key can tell which id a hash belongs to.

    Args:
        key: what ids are hashed with; None stores them as they are.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key

    @property
    def check_value(self) -> str:
        """Differs from key to key; the key cannot be found from it."""
        return self._digest("groundswell author key")

    def hashed(self, author_id: str) -> str:
        """An id as it is stored."""
        return author_id if self._key is None else HASHED + self._digest(author_id)

    def forms(self, author_id: str) -> tuple[str, ...]:
        """The forms in which an id may be stored; also from before ids were hashed."""
        return tuple(dict.fromkeys((author_id, self.hashed(author_id))))

    def of_comments(self, comments: Sequence[Comment]) -> Sequence[Comment]:
        """Comments with their author ids as they are stored."""
        if self._key is None:
            return comments
        return [
            one if one.author_id is None else replace(one, author_id=self.hashed(one.author_id))
            for one in comments
        ]

    def _digest(self, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        return hmac.new(self._key or b"", data, hashlib.sha256).hexdigest()[:32]
