"""One bounded request to another server, without redirects; failures become channel errors."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import NoReturn

import httpx

from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.channels.masking import mask, secrets_of
from serving.outgoing.address_rules import ForbiddenAddress

_MAX_ERROR = 200  # bytes of an error answer that are read
_MAX_PAUSE = timedelta(hours=1)
_TRY_AGAIN = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
# What a proxy answers in place of a server that is away: no message is at fault.
_PROXY = {
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


async def post(
    http: httpx.AsyncClient, url: str, content: bytes, headers: Mapping[str, str]
) -> None:
    """POST JSON; returns once the server has answered 2xx. The body of that answer is not read.

    Args:
        http: the client; it bounds the time, and which addresses are connected to.
        url: of the server; what may be secret in it is never part of an error.
        content: the body.
        headers: beside `Content-Type`.

    Raises:
        Unavailable: no answer, not HTTP, 408, 425, 429 or 5xx.
        Rejected: any other answer.
    """
    headers = {"Content-Type": "application/json", **headers}
    request = http.stream("POST", url, content=content, headers=headers, follow_redirects=False)
    async with _successful(request, url):
        pass


async def get(
    http: httpx.AsyncClient,
    url: str,
    params: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    *,
    most: int,
) -> bytes:
    """GET a body.

    Args:
        http: the client.
        url: of the server; what may be secret in it is never part of an error.
        params: the query.
        headers: all of them.
        most: bytes that the body may have.

    Raises:
        Unavailable: as :func:`post`, and for a longer body.
        Rejected: as :func:`post`.
    """
    request = http.stream("GET", url, params=list(params), headers=headers, follow_redirects=False)
    async with _successful(request, url) as answer:
        return await _whole(answer, most)


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What a server answered, with any status.

    Attributes:
        status: of the answer.
        body: the whole of it.
        headers: names in any case.
    """

    status: int
    body: bytes
    headers: httpx.Headers


async def ask(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    most: int,
) -> ServerAnswer:
    """Send JSON to a server that says in the body what became of it.

    Args:
        http: the client.
        method: of the request.
        url: of the server; what may be secret in it is never part of an error.
        content: the body.
        headers: beside `Content-Type`.
        most: bytes that the answer may have.

    Raises:
        Unavailable: no answer, not HTTP, or a longer answer.
        Rejected: the address cannot be used.
    """
    headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    with _as_channel_errors(url):
        request = http.stream(method, url, content=content, headers=headers, follow_redirects=False)
        async with request as answer:
            return ServerAnswer(answer.status_code, await _whole(answer, most), answer.headers)


async def _whole(answer: httpx.Response, most: int) -> bytes:
    read = b""
    async for chunk in answer.aiter_raw():  # unpacking would have no bound
        read += chunk
        if len(read) > most:
            raise Unavailable(f"answered more than {most:,} bytes")
    return read


@asynccontextmanager
async def _successful(
    request: AbstractAsyncContextManager[httpx.Response], url: str
) -> AsyncIterator[httpx.Response]:
    """The answer, if it is 2xx; errors of httpx in the block become those of a channel."""
    with _as_channel_errors(url):
        async with request as answer:
            if not answer.is_success:
                await _fail(answer, url)
            yield answer


@contextmanager
def _as_channel_errors(url: str) -> Iterator[None]:
    """Errors of httpx in the block become those of a channel."""
    try:
        yield
    except httpx.InvalidURL as error:
        raise Rejected("the address cannot be used") from error
    except ForbiddenAddress as error:
        raise Unavailable(str(error)) from error
    except httpx.HTTPError as error:
        raise Unavailable(mask(str(error), secrets_of(url)) or type(error).__name__) from error


async def _fail(answer: httpx.Response, url: str) -> NoReturn:
    text = await _beginning(answer)
    raise failure(
        answer.status_code, mask(text, secrets_of(url)), answer.headers.get("Retry-After", "")
    )


def failure(status: int, words: str, retry_after: str = "") -> Unavailable | Rejected:
    """The error that an answer other than 2xx means.

    Args:
        status: of the answer.
        words: the beginning of its body on one line, without secrets.
        retry_after: the header of that name; empty if there is none.
    """
    message = f"answered {status}"
    if 300 <= status < 400:
        return Rejected(f"{message}: redirects are not followed; configure the final address")
    if words:
        message += f": {words[:_MAX_ERROR]}"
    if status in _TRY_AGAIN or status >= 500:
        broken = status >= 500 and status not in _PROXY
        return Unavailable(message, retry_after=pause_of(retry_after), answered=broken)
    return Rejected(message)


async def _beginning(answer: httpx.Response) -> str:
    """The first bytes of an answer's body as text on one line."""
    read = b""
    async for chunk in answer.aiter_raw(_MAX_ERROR):
        read += chunk
        if len(read) >= _MAX_ERROR:
            break
    return " ".join(read[:_MAX_ERROR].decode("utf-8", "replace").split())


def pause_of(text: str) -> timedelta | None:
    """The pause that a server asked for in seconds, at most an hour."""
    if not (text.isascii() and text.isdigit()):
        return None
    return min(timedelta(seconds=int(text[:9])), _MAX_PAUSE)
