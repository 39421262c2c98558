"""Runs a service in a thread while a test calls commands."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from fastapi import FastAPI

from serving.cli import hosting


@contextmanager
def listening(started: AbstractAsyncContextManager[FastAPI]) -> Iterator[str]:
    """Serve an app and yield its address; stopped at the end.

    Args:
        started: context manager that starts the app; entered in the serving thread.
    """
    listener = hosting.listen("127.0.0.1", 0)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    servers: list[hosting.GracefulServer] = []

    async def serve() -> None:
        async with started as app:
            servers.append(hosting.server(app))
            ready.set()
            await servers[0].serve(sockets=[listener])

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield hosting.url_of(listener)
    servers[0].should_exit = True
    thread.join(30)
    loop.close()
    listener.close()
