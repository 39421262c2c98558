"""What a request adds to the first transaction in which it changes something.

So it is known after a kill, or where a commit was in doubt, whether the change was made.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy.ext.asyncio import AsyncConnection


class WriteMark:
    """Added to transactions until one of them is committed.

    Attributes:
        committed: whether it is known that one was.
    """

    def __init__(self, add: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        """Prepare a mark.

        Args:
            add: adds it to a transaction; does nothing where it is there already.
        """
        self._add = add
        self._ended = False
        self.committed = False

    async def add_to(self, connection: AsyncConnection) -> None:
        """Add the mark to a transaction, if it is still needed."""
        if not (self.committed or self._ended):
            await self._add(connection)

    def end(self) -> None:
        """Mark no more: the request is over, whatever tasks it has left behind."""
        self._ended = True


_MARK: ContextVar[WriteMark | None] = ContextVar("write_mark", default=None)


def current_mark() -> WriteMark | None:
    """The mark of the request that is being carried out; None without one."""
    return _MARK.get()


@contextmanager
def marking(mark: WriteMark) -> Iterator[None]:
    """Mark the transactions of a block, and of the tasks that it starts while it lasts."""
    token = _MARK.set(mark)
    try:
        yield
    finally:
        _MARK.reset(token)
        mark.end()
