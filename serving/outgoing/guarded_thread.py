"""Runs the code of a library that opens its own connections, under the same rules as our own.

The library blocks, so it gets a thread. Python tells an audit hook of every connection right
before it is made, with the address that was looked up, and the hook refuses what the rules forbid.
"""

import asyncio
import contextvars
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

import structlog

from serving.outgoing.address_rules import AddressRules, ForbiddenAddress, literal

_logger = structlog.get_logger(__name__)
T = TypeVar("T")
# A datagram needs no connection.
_WATCHED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"})


@dataclass(slots=True)
class ThreadGuard:
    """What the code in a thread may do, and what it has done.

    Attributes:
        rules: which addresses it may connect to.
        forbidden: the last address that it was kept from; None if there was none.
    """

    rules: AddressRules
    forbidden: str | None = None
    _opened: list[socket.socket] = field(default_factory=list)
    _over: bool = False

    def connecting(self, opened: socket.socket, address: object) -> None:
        """Check a connection that is about to be made.

        Raises:
            OSError: it is not allowed, or the time is over.
        """
        host = str(address[0]) if isinstance(address, tuple) and address else ""
        if self._over or literal(host) is None or not self.rules.allow(host):
            self.forbidden = host or "a socket of this machine"
            raise OSError(f"{self.forbidden} is an address that may not be connected to")
        self._opened.append(opened.dup())  # its own survives being wrapped for TLS

    def looking_up(self) -> None:
        """Check that a name may be looked up still.

        What the name leads to is checked at the connection, so a second answer of a name server
        is checked as well.

        Raises:
            OSError: the time is over.
        """
        if self._over:
            raise OSError("the time for this message is over")

    def check(self) -> None:
        """Say whether something was forbidden.

        Raises:
            ForbiddenAddress: the code was kept from an address.
        """
        if self.forbidden is not None:
            raise ForbiddenAddress(
                f"{self.forbidden} is an address that may not be connected to; if it is private "
                "and right, allow it with 'allow_private = true'"
            )

    def close(self) -> None:
        """Cut every connection, so that whoever still reads from one ends."""
        self._over = True
        for opened in self._opened:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        self._opened.clear()


_current: contextvars.ContextVar[ThreadGuard | None] = contextvars.ContextVar(
    "thread_guard", default=None
)


def current_guard() -> ThreadGuard | None:
    """The guard of this thread; None outside `run_guarded`."""
    return _current.get()


async def run_guarded(work: Callable[[], T], guard: ThreadGuard) -> T:
    """Run blocking code in a thread of its own; if it is cancelled, its connections are cut.

    Raises:
        Exception: what the code raised.
    """
    _watch_connections()
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        _current.set(guard)
        try:
            found = work()
        except Exception as error:
            _logger.exception("guarded_thread_failed")
            _tell(loop, done, error=error)
        else:
            _tell(loop, done, result=found)

    # A daemon: a host that never answers must not keep the process from ending.
    threading.Thread(
        target=contextvars.copy_context().run, args=(run,), name="guarded", daemon=True
    ).start()
    try:
        return await done
    finally:
        guard.close()


def _tell(
    loop: asyncio.AbstractEventLoop,
    done: "asyncio.Future[T]",
    *,
    result: T | None = None,
    error: Exception | None = None,
) -> None:
    def settle() -> None:
        if done.done():  # nobody waits any more
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(settle)


@cache
def _watch_connections() -> None:
    """Install the hook, once; it cannot be removed, and does nothing outside `run_guarded`."""
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _WATCHED:
        return
    guard = _current.get()
    if guard is None:
        return
    if event == "socket.getaddrinfo":
        guard.looking_up()
    elif isinstance(arguments[0], socket.socket) and arguments[1] is not None:
        guard.connecting(arguments[0], arguments[1])
