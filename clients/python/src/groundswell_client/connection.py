"""Requests under `/v1`: their errors, their pages, and what a busy service asks for."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from groundswell_client.answer import decode
from groundswell_client.errors import ConnectionLost, ServiceRefused, ServiceUnreachable

TIMEOUT = httpx.Timeout(60.0, connect=5.0)
MOST_ITEMS = 1000  # of a page
_PATIENCE = 300.0  # seconds of nothing but 429 after which to give up

Query = Mapping[str, str | int | bool | Sequence[str] | None]


class _PageBody(msgspec.Struct, frozen=True):
    items: list[msgspec.Raw]
    next_cursor: str | None


class Connection:
    """Sends requests to one service and returns the bodies of its answers.

    Every method raises `ServiceUnreachable` where no service answers, `ConnectionLost` where the
    connection breaks off, and `ServiceRefused` where the answer is an error.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @property
    def url(self) -> str:
        """The service's address, without a slash at its end."""
        return str(self._http.base_url).rstrip("/")

    async def get(self, path: str, query: Query | None = None) -> bytes:
        """The body of a GET; parameters that are None are left out."""
        params = {key: value for key, value in (query or {}).items() if value is not None}
        return checked(await self._request("GET", path, params=params))

    async def send(self, method: str, path: str, body: object = None) -> bytes:
        """The body of the answer to a POST or PUT of JSON, or of nothing."""
        if body is None:
            return checked(await self._request(method, path))
        headers = {"Content-Type": "application/json"}
        content = msgspec.json.encode(body)
        return checked(await self._request(method, path, content=content, headers=headers))

    async def post_lines(self, path: str, lines: bytes) -> httpx.Response:
        """The answer to a POST of NDJSON; waits and tries again while the service is busy."""
        waited = 0.0
        while True:
            answer = await self._request(
                "POST", path, content=lines, headers={"Content-Type": "application/x-ndjson"}
            )
            if answer.status_code != 429 or waited >= _PATIENCE:
                return answer
            pause = _retry_after(answer)
            waited += pause
            await asyncio.sleep(pause)

    async def items(self, path: str, query: Query, limit: int | None) -> list[bytes]:
        """The items of a paged GET in their order, `limit` of them at most."""
        found: list[bytes] = []
        cursor: str | None = None
        at_once = min(limit or MOST_ITEMS, MOST_ITEMS)
        while True:
            body = await self.get(path, {**query, "limit": at_once, "cursor": cursor})
            page = decode(body, _PageBody)
            found += (bytes(item) for item in page.items)
            cursor = page.next_cursor
            if cursor is None or (limit is not None and len(found) >= limit):
                return found[:limit]

    @asynccontextmanager
    async def lines(self, path: str, query: Query) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of a GET whose answer does not end, as they come."""
        params = {key: value for key, value in query.items() if value is not None}
        timeout = httpx.Timeout(TIMEOUT.connect, read=None)
        try:
            async with self._http.stream(
                "GET", f"/v1{path}", params=params, timeout=timeout
            ) as answer:
                if answer.is_error:
                    await answer.aread()
                    checked(answer)
                yield answer.aiter_lines()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await self._http.request(method, f"/v1{path}", **more)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: httpx.HTTPError) -> ServiceUnreachable:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return ServiceUnreachable(f"no service answers at {self.url}")
        reason = str(error) or type(error).__name__
        return ConnectionLost(f"the connection to {self.url} was lost ({reason})")


def checked(answer: httpx.Response) -> bytes:
    """The body of an answer that is not an error.

    Raises:
        ServiceRefused: it is one; with the service's own explanation.
    """
    if answer.is_success:
        return answer.content
    raise ServiceRefused(
        f"the service answered {answer.status_code}: {_detail(answer)}", status=answer.status_code
    )


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return str(detail or answer.reason_phrase or "no reason given")


def _retry_after(answer: httpx.Response) -> float:
    """Seconds that a busy service asks to wait; 1 if it does not say."""
    try:
        return max(float(answer.headers.get("Retry-After", "1")), 0.05)
    except ValueError:
        return 1.0
