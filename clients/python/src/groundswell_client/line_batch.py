"""Comments as lines of NDJSON, in batches of bounded size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

Comment = Mapping[str, object] | bytes

MOST_BYTES = 1 << 20
_MOST_FAULTS = 1000


@dataclass(slots=True)
class LineBatch:
    """Lines that are sent together.

    Attributes:
        most_items: lines of a batch.
        most_bytes: bytes of a batch, unless one line alone has more.
    """

    most_items: int
    most_bytes: int = MOST_BYTES
    _lines: list[bytes] = field(default_factory=list)
    _bytes: int = 0

    def add(self, item: Comment) -> Sequence[bytes]:
        """Take a comment; returns the lines that are to be sent before it, often none.

        Raises:
            ValueError: it is bytes with a line end in them.
            TypeError: it cannot be written as JSON.
        """
        line = line_of(item)
        full = self._lines and self._bytes + len(line) > self.most_bytes
        ready = self.take() if full or len(self._lines) >= self.most_items else ()
        self._lines.append(line)
        self._bytes += len(line) + 1
        return ready

    def take(self) -> Sequence[bytes]:
        """The lines that are left."""
        lines, self._lines, self._bytes = self._lines, [], 0
        return lines


def line_of(item: Comment) -> bytes:
    """A comment as a line of NDJSON.

    Raises:
        ValueError: it is bytes with a line end in them.
        TypeError: it cannot be written as JSON.
    """
    if isinstance(item, bytes):
        if b"\n" in item:
            raise ValueError("a comment given as bytes must be JSON on one line")
        return item
    return msgspec.json.encode(item)
