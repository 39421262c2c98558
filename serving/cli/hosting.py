"""A service run by this process: behind a socket, or without any network."""

import asyncio
import contextlib
import errno
import resource
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import httpx
import uvicorn
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import _TrustedHosts

from groundswell_client import AsyncClient
from serving.access.http_protocol import ConnectionBounds, protocol
from serving.addresses import is_loopback
from serving.api.problems import answer_to
from serving.app import create_app
from serving.errors import ServingError
from serving.settings import Settings

_GRACE = 3  # seconds that open streams get at the end
_BACKLOG = 128  # connections that are accepted at once
_DESCRIPTORS = 8192
# Of these: files, the database's and outgoing connections, and a burst of `_BACKLOG`.
_RESERVED = 256


class CannotListen(ServingError):
    """The address cannot be listened on."""

    code = "cannot_listen"


class Exposed(ServingError):
    """A service that asks for no key would be open to other machines."""

    code = "exposed"


def check_exposure(settings: Settings) -> None:
    """Refuse to open a service without keys to other machines.

    Raises:
        Exposed: access is open, and the address is not a loopback one.
    """
    if settings.access == "open" and not is_loopback(settings.host):
        raise Exposed(
            f"with GROUNDSWELL_ACCESS=open anyone who can reach {settings.host} could read and "
            "change everything; set it to 'keys', or listen on 127.0.0.1"
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        CannotListen: the port is taken or the address is not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CannotListen(
            f"--host {host!r} is not an address of this machine ({error.strerror})"
        ) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        raise CannotListen(
            f"cannot listen on {host} port {port} ({error.strerror}); "
            + (
                "give an address of this machine with --host"
                if error.errno == errno.EADDRNOTAVAIL
                else "give another port with --port, or 0 for any free one"
            )
        ) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a listening socket as a person would type it."""
    host, port = listener.getsockname()[:2]
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"


class GracefulServer(uvicorn.Server):
    """uvicorn that returns when a signal stops it, and raises nothing."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM; a second SIGINT does not wait for open requests."""
        if threading.current_thread() is not threading.main_thread():  # signals go to that one
            yield
            return
        loop = asyncio.get_running_loop()
        caught = (signal.SIGINT, signal.SIGTERM)
        for number in caught:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in caught:
                loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[FastAPI]:
    """The app with its workers running; errors of the start are raised here, not logged."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


def server(app: FastAPI) -> GracefulServer:
    """A web server for an app whose workers run already."""
    settings: Settings = app.state.settings
    proxies = [one.strip() for one in settings.trusted_proxies.split(",")]
    bounds = ConnectionBounds(
        connections=min(settings.max_connections, _descriptors() - _RESERVED),
        per_address=settings.max_connections_per_address,
        is_proxy=_TrustedHosts(proxies).__contains__,
        header_timeout=settings.header_timeout,
        write_timeout=settings.body_timeout,
    )
    config = uvicorn.Config(
        app,
        http=protocol(bounds, answer_to, app.state.metrics),
        ws="none",
        backlog=_BACKLOG,
        forwarded_allow_ips=proxies,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    return GracefulServer(config)


def _descriptors() -> int:
    """The files that this process may open; as many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _DESCRIPTORS:
        soft = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


@contextlib.asynccontextmanager
async def in_process(settings: Settings) -> AsyncIterator[AsyncClient]:
    """The whole service without a network, for as long as the context lasts; it needs no key."""
    async with started(settings.model_copy(update={"access": "open"})) as app:
        transport = httpx.ASGITransport(app)
        async with AsyncClient("http://in-process", retries=0, transport=transport) as client:
            yield client
