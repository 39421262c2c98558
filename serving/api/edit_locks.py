"""One edit of the same thing at a time, so that nothing changes between a check and its change."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

_LOCKS: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def edit_lock(name: str) -> AsyncIterator[None]:
    """Hold the lock of a thing; it is made when it is needed, and gone when nobody holds it."""
    lock = _LOCKS.get(name)
    if lock is None:
        lock = _LOCKS[name] = asyncio.Lock()
    async with lock:
        yield
