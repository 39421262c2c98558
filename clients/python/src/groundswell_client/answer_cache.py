"""The last answers to reads that are repeated, so that the service need not send them again."""

from collections import OrderedDict

_MOST_ANSWERS = 64
_LONGEST = 256 * 1024  # bytes


class AnswerCache:
    """Bodies by address, with the ETag that the service gave them; the last used ones are kept."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    def find(self, address: str) -> tuple[str, bytes] | None:
        """The ETag and the body of the last answer; None if it is not kept."""
        if (found := self._answers.get(address)) is not None:
            self._answers.move_to_end(address)
        return found

    def keep(self, address: str, etag: str, body: bytes) -> None:
        """Keep an answer, unless it is long."""
        if len(body) > _LONGEST:
            self._answers.pop(address, None)
            return
        self._answers[address] = etag, body
        self._answers.move_to_end(address)
        if len(self._answers) > _MOST_ANSWERS:
            self._answers.popitem(last=False)
