"""The HTTP client for other machines: checked addresses, bounded sizes and times, no redirects."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpcore
import httpx
from httpcore import SOCKET_OPTION

from serving.outgoing.address_rules import AddressRules, ForbiddenAddress, literal
from serving.outgoing.resolution import resolve

MOST_BYTES = 8_000_000
_CONNECTIONS = 20
_PROXY_RULES = AddressRules(private=True)  # it is the company's own


def outgoing_client(
    rules: AddressRules,
    *,
    seconds: float,
    most_bytes: int = MOST_BYTES,
    proxy: str | None = None,
    backend: httpcore.AsyncNetworkBackend | None = None,
) -> httpx.AsyncClient:
    """A client for requests to other machines; to be closed.

    It follows no redirects, sends no credentials of the machine's user, uses no proxy of the
    environment, and asks for answers that are not compressed.

    Args:
        rules: which addresses it may connect to.
        seconds: that a request may take, with its whole answer.
        most_bytes: that an answer may have.
        proxy: URL of a forward proxy for public addresses. Where the rules allow private ones or
            this machine, requests go there directly. The proxy looks names up, so the rules hold
            for addresses in URLs only; which names lead where is the proxy's to check.
        backend: opens connections to addresses; the network if None.
    """
    return httpx.AsyncClient(
        transport=GuardedTransport(
            rules, seconds=seconds, most_bytes=most_bytes, proxy=proxy, backend=backend
        ),
        timeout=seconds,
        follow_redirects=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity"},
    )


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Sends requests to addresses that the rules allow."""

    def __init__(
        self,
        rules: AddressRules,
        *,
        seconds: float,
        most_bytes: int,
        proxy: str | None = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        verify = httpx.create_ssl_context()
        super().__init__(verify=verify)
        backend = backend or httpcore.AnyIOBackend()
        self._rules = rules
        self._proxied = proxy is not None and not (rules.loopback or rules.private)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=_CONNECTIONS,
            network_backend=GuardedBackend(rules, backend),
        )
        if proxy is not None and self._proxied:
            found = httpx.Proxy(proxy)
            self._pool = httpcore.AsyncHTTPProxy(
                proxy_url=str(found.url),
                proxy_auth=found.raw_auth,
                ssl_context=verify,
                proxy_ssl_context=verify if found.url.scheme == "https" else None,
                max_connections=_CONNECTIONS,
                network_backend=GuardedBackend(_PROXY_RULES, backend),
            )
        self._seconds = seconds
        self._most_bytes = most_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            ForbiddenAddress: no address of the host may be connected to.
            httpx.HTTPError: it failed, or took too long.
        """
        if request.url.scheme not in {"http", "https"}:
            raise httpx.UnsupportedProtocol("only http:// and https:// are supported")
        address = literal(request.url.host)
        if self._proxied and address is not None and not self._rules.allow(address):
            raise ForbiddenAddress(f"{address} is an address that may not be connected to")
        ends = time.monotonic() + self._seconds
        async with _until(ends, self._seconds):
            answer = await super().handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        return httpx.Response(
            answer.status_code,
            headers=answer.headers,
            stream=BoundedAnswer(answer.stream, ends, self._seconds, self._most_bytes),
            extensions=answer.extensions,
        )


class BoundedAnswer(httpx.AsyncByteStream):
    """The body of an answer, up to a number of bytes and an instant."""

    def __init__(
        self, stream: httpx.AsyncByteStream, ends: float, seconds: float, most_bytes: int
    ) -> None:
        self._stream = stream
        self._ends = ends
        self._seconds = seconds
        self._most_bytes = most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts of the body.

        Raises:
            httpx.ReadError: it is too long.
            httpx.ReadTimeout: it takes too long.
        """
        read = 0
        parts = aiter(self._stream)
        while True:
            async with _until(self._ends, self._seconds):
                part = await anext(parts, None)
            if part is None:
                return
            read += len(part)
            if read > self._most_bytes:
                raise httpx.ReadError(f"answered more than {self._most_bytes:,} bytes")
            yield part

    async def aclose(self) -> None:
        """Close the connection, unless the whole body was read."""
        await self._stream.aclose()


@asynccontextmanager
async def _until(ends: float, seconds: float) -> AsyncIterator[None]:
    """Bound the block by an instant of the monotonic clock."""
    try:
        async with asyncio.timeout(max(0.0, ends - time.monotonic())):
            yield
    except TimeoutError:
        raise httpx.ReadTimeout(f"no whole answer within {seconds:g} s") from None


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Looks names up itself, and connects to addresses that the rules allow."""

    def __init__(self, rules: AddressRules, backend: httpcore.AsyncNetworkBackend) -> None:
        self._rules = rules
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore names it
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that accepts.

        Raises:
            ForbiddenAddress: no address of the host may be connected to.
            httpcore.ConnectError, httpcore.ConnectTimeout: none accepts.
        """
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        try:
            addresses = await resolve(host, port, self._rules)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in addresses:
            try:
                return await self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore names it
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no URL names a socket.

        Raises:
            httpcore.ConnectError: always.
        """
        raise httpcore.ConnectError("sockets of this machine are not connected to")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)
