"""A client of the HTTP API, for the command line."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from serving.errors import ServingError

_PATIENCE = 300.0  # seconds of nothing but 429 after which to give up
_STUCK = 60.0  # seconds without a living worker after which to give up
_POLL = 0.3
TIMEOUT = httpx.Timeout(60.0, connect=5.0)


class ServiceUnreachable(ServingError):
    """No service answers at the address, or the connection was lost."""

    code = "unreachable"


class ServiceRefused(ServingError):
    """The service answered with an error.

    Attributes:
        status: the HTTP status.
    """

    code = "refused"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One server-sent event.

    Attributes:
        name: "alert", "mood", or "open" when the stream stands.
        event_id: its id; None where it has none.
        data: its JSON.
    """

    name: str
    event_id: str | None
    data: dict[str, Any]


class ServiceClient:
    """Calls a service. Every method raises `ServiceUnreachable` where nobody answers and
    `ServiceRefused` where the answer is an error.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @property
    def url(self) -> str:
        """The service's address, without a slash at its end."""
        return str(self._http.base_url).rstrip("/")

    async def submit(self, items: Sequence[Mapping[str, object]]) -> dict[str, Any]:
        """Send comments as NDJSON and return what became of them; waits while the service is busy.

        An answer that refuses every item is a result too, not an error.
        """
        body = "".join(json.dumps(item) + "\n" for item in items).encode()
        waited = 0.0
        while True:
            answer = await self._request(
                "POST",
                "/v1/comments",
                content=body,
                headers={"Content-Type": "application/x-ndjson"},
            )
            if answer.status_code == 429 and waited < _PATIENCE:
                pause = _retry_after(answer)
                waited += pause
                await asyncio.sleep(pause)
                continue
            if answer.status_code == 422 and "items" in (problem := _json(answer)):
                return problem
            return _checked(answer)

    async def get(
        self, path: str, **query: str | int | bool | Sequence[str] | None
    ) -> dict[str, Any]:
        """The JSON answer of a GET under `/v1`; parameters that are None are left out."""
        params = {key: value for key, value in query.items() if value is not None}
        return _checked(await self._request("GET", f"/v1{path}", params=params))

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The JSON answer of a POST under `/v1`; members of the body that are None are left out."""
        given = {} if body is None else {"json": {k: v for k, v in body.items() if v is not None}}
        return _checked(await self._request("POST", f"/v1{path}", **given))

    async def pages(
        self, path: str, **query: str | int | bool | None
    ) -> AsyncIterator[dict[str, Any]]:
        """Every item of a paged GET, following `next_cursor`."""
        cursor: str | None = None
        while True:
            page = await self.get(path, **query, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def put_kol(self, kol_id: str, profile: Mapping[str, object]) -> dict[str, Any]:
        """Register a KOL or replace its profile."""
        path = f"/v1/kols/{quote(kol_id, safe='')}"
        return _checked(await self._request("PUT", path, json=dict(profile)))

    async def set_policy(self, kol_id: str, change: Mapping[str, object]) -> dict[str, Any]:
        """Set what a KOL is judged by; None takes an override back."""
        path = f"/v1/kols/{quote(kol_id, safe='')}/policy"
        return _checked(await self._request("PUT", path, json=dict(change)))

    async def score(self, texts: Sequence[str]) -> dict[str, Any]:
        """What the service's model says of texts."""
        return _checked(await self._request("POST", "/v1/score", json={"texts": list(texts)}))

    async def events(self, kol_id: str | None = None) -> AsyncIterator[ServerEvent]:
        """An event "open" when the line stands, then alerts and moods from now on, until the
        service closes the stream.
        """
        params = {"kol_id": kol_id} if kol_id else {}
        timeout = httpx.Timeout(TIMEOUT.connect, read=None)
        try:
            async with self._http.stream(
                "GET", "/v1/stream", params=params, timeout=timeout
            ) as answer:
                if answer.status_code >= 400:
                    await answer.aread()
                    _checked(answer)
                yield ServerEvent("open", None, {})
                async for event in _parse_events(answer.aiter_lines()):
                    yield event
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    async def worked_off(self, report: Callable[[int, int], None] | None = None) -> dict[str, Any]:
        """Wait until every comment of the log has been scored and watched.

        Args:
            report: told the last and the processed position of the log at each look.

        Returns:
            The last answer of `GET /v1/status`.
        """
        last_progress, quiet = -1, 0.0
        while True:
            status = await self.get("/status")
            log = status["log"]
            if report is not None:
                report(log["last_seq"], log["processed_seq"])
            if log["backlog"] == 0:
                return status
            moved = log["processed_seq"] != last_progress
            quiet = 0.0 if moved or status["alive"] else quiet + _POLL
            if quiet > _STUCK:
                raise ServiceRefused(
                    f"the service stopped working {log['backlog']} comments before the end; "
                    "its log says why",
                    status=503,
                )
            last_progress = log["processed_seq"]
            await asyncio.sleep(_POLL)

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: httpx.HTTPError) -> ServiceUnreachable:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return ServiceUnreachable(
                f"no service answers at {self.url}; start one with 'groundswell serve', "
                "or name its address with --url"
            )
        reason = str(error) or type(error).__name__
        return ServiceUnreachable(f"the connection to {self.url} was lost ({reason})")


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[ServiceClient]:
    """A client of a running service.

    Args:
        url: its address, for example `http://127.0.0.1:8000`.

    Raises:
        ServiceUnreachable: this is no address.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ServiceUnreachable(f"{url!r} is no address ({error})") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ServiceUnreachable(f"{url!r} is no address; write it like http://127.0.0.1:8000")
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as http:
        yield ServiceClient(http)


async def _parse_events(lines: AsyncIterator[str]) -> AsyncIterator[ServerEvent]:
    """Server-sent events from lines, after the HTML standard; comments keep the line alive."""
    name, event_id, data = "message", None, list[str]()
    async for line in lines:
        if not line:
            if data:
                yield ServerEvent(name, event_id, json.loads("\n".join(data)))
            name, event_id, data = "message", None, []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "data":
            data.append(value)
        elif key == "event":
            name = value
        elif key == "id":
            event_id = value


def _retry_after(answer: httpx.Response) -> float:
    """Seconds that a busy service asks to wait; 1 if it does not say."""
    try:
        return max(float(answer.headers.get("Retry-After", "1")), 0.05)
    except ValueError:
        return 1.0


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def _checked(answer: httpx.Response) -> dict[str, Any]:
    value = _json(answer)
    if answer.is_success:
        return value
    detail = value.get("detail") or answer.reason_phrase or "no reason given"
    raise ServiceRefused(
        f"the service answered {answer.status_code}: {detail}", status=answer.status_code
    )
