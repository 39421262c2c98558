"""One POST to somebody else's server: bounded, no redirects, and its answer understood."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

import httpx

from serving.delivery.channel import Rejected, Unavailable

_TOLD = 200  # bytes of an error answer that are read
_LONGEST_PAUSE = timedelta(hours=1)
_TRY_AGAIN = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


async def post(
    http: httpx.AsyncClient, url: str, content: bytes, headers: Mapping[str, str]
) -> None:
    """POST JSON; returns once the other side has said 2xx, whose body is not read.

    The caller bounds the time as a whole.

    Args:
        http: the client.
        url: where to; never part of an error.
        content: the body.
        headers: beside `Content-Type`.

    Raises:
        Unavailable: no answer, not HTTP, 408, 425, 429 or 5xx.
        Rejected: any other answer.
    """
    try:
        async with http.stream(
            "POST",
            url,
            content=content,
            headers={"Content-Type": "application/json", **headers},
            follow_redirects=False,
        ) as answer:
            if answer.is_success:
                return
            status = answer.status_code
            said = f"answered {status}"
            if answer.is_redirect:
                raise Rejected(f"{said}: redirects are not followed; configure the final address")
            if text := await _beginning(answer):
                said += f": {text}"
            if status in _TRY_AGAIN or status >= 500:
                raise Unavailable(said, retry_after=_retry_after(answer))
            raise Rejected(said)
    except httpx.InvalidURL as error:
        raise Rejected("the address cannot be used") from error
    except httpx.HTTPError as error:
        raise Unavailable(str(error) or type(error).__name__) from error


async def _beginning(answer: httpx.Response) -> str:
    """The first bytes of an answer's body as text on one line."""
    read = b""
    async for chunk in answer.aiter_raw(_TOLD):
        read += chunk
        if len(read) >= _TOLD:
            break
    return " ".join(read[:_TOLD].decode("utf-8", "replace").split())


def _retry_after(answer: httpx.Response) -> timedelta | None:
    """The pause that the other side asked for in seconds, at most an hour."""
    text = answer.headers.get("Retry-After", "")
    if not (text.isascii() and text.isdigit()):
        return None
    return min(timedelta(seconds=int(text[:9])), _LONGEST_PAUSE)
