"""Requests under `/v1`: their errors, their repetition, their pages."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import httpx
import httpx_sse
import msgspec

from groundswell_client.answer_cache import AnswerCache
from groundswell_client.errors import ConnectionLost, ServiceUnreachable, refusal
from groundswell_client.record import decode
from groundswell_client.retry_policy import RetryPolicy
from groundswell_client.values import Query, new_key

T = TypeVar("T")

CONNECT_TIMEOUT = 5.0
_STREAM_TIMEOUT = 45.0  # seconds; the service sends a sign of life every 15

# Bytes, or what makes their chunks anew for each try.
Body = bytes | Callable[[], Iterator[bytes]]


class Connection:
    """Sends requests to one service and returns the bodies of its answers.

    Every method raises `ServiceUnreachable` where no service answers, `ConnectionLost` where the
    connection breaks off, and `ServiceRefused` where the answer is an error, each after the
    repetitions of the policy.
    """

    def __init__(self, http: httpx.Client, policy: RetryPolicy) -> None:
        self.policy = policy
        self._http = http
        self._cache = AnswerCache()

    @property
    def url(self) -> str:
        """The service's address, without a slash at its end."""
        return str(self._http.base_url).rstrip("/")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get(self, path: str, kind: type[T], query: Query | None = None) -> T:
        """A GET; parameters that are None are left out."""
        body, etag = self.fetch(path, query)
        return decode(body, kind, etag)

    def fetch(self, path: str, query: Query | None = None) -> tuple[bytes, str | None]:
        """The body of a GET and its ETag; the service sends again only what has changed."""
        request = self._http.build_request("GET", f"/v1{path}", params=_present(query))
        address = str(request.url)
        kept = self._cache.find(address)
        headers = {} if kept is None else {"If-None-Match": kept[0]}
        answer = self.request("GET", path, query=query, headers=headers)
        if kept is not None and answer.status_code == 304:
            return kept[1], kept[0]
        body, etag = checked(answer), answer.headers.get("ETag")
        if etag is not None:
            self._cache.keep(address, etag, body)
        return body, etag

    def send(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: object = None,
        *,
        query: Query | None = None,
        if_match: str | None = None,
        only_new: bool = False,
    ) -> T:
        """A change, with JSON or nothing as its body. It is carried out once, however often it is
        sent: each call makes an idempotency key.
        """
        answer = self.change(method, path, body, query=query, if_match=if_match, only_new=only_new)
        return decode(checked(answer), kind, answer.headers.get("ETag"))

    def change(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Query | None = None,
        if_match: str | None = None,
        only_new: bool = False,
    ) -> httpx.Response:
        """As `send`, but with the answer as it is; it may be an error."""
        headers = {"Idempotency-Key": new_key()}
        if if_match is not None:
            headers["If-Match"] = if_match
        if only_new:
            headers["If-None-Match"] = "*"
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(body)
        return self.request(method, path, query=query, content=content, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        content: Body = b"",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to a request, sent again as the policy says; it may be an error."""
        state = self.policy.start()
        while True:
            try:
                answer = self._http.request(
                    method,
                    f"/v1{path}",
                    params=_present(query),
                    content=content if isinstance(content, bytes) else content(),
                    headers=headers,
                )
            except httpx.HTTPError as error:
                pause = state.after_failure()
                if pause is None:
                    raise self._unreachable(error) from None
            else:
                pause = state.after_answer(answer.status_code, answer.headers)
                if pause is None:
                    return answer
            time.sleep(pause)

    @contextmanager
    def events(
        self, path: str, query: Query, headers: Mapping[str, str]
    ) -> Iterator[Iterator[httpx_sse.ServerSentEvent]]:
        """The server-sent events of a GET whose answer does not end, as they come."""
        timeout = httpx.Timeout(_STREAM_TIMEOUT, connect=CONNECT_TIMEOUT)
        try:
            with httpx_sse.connect_sse(
                self._http,
                "GET",
                f"/v1{path}",
                params=_present(query),
                headers=dict(headers),
                timeout=timeout,
            ) as source:
                if source.response.is_error:
                    source.response.read()
                    checked(source.response)
                yield source.iter_sse()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    @contextmanager
    def chunks(self, path: str, query: Query | None = None) -> Iterator[Iterator[bytes]]:
        """The body of a GET as it comes, however long it is."""
        try:
            with self._http.stream("GET", f"/v1{path}", params=_present(query)) as answer:
                if answer.is_error:
                    answer.read()
                    checked(answer)
                yield answer.iter_bytes()
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
    raise refusal(answer.status_code, answer.reason_phrase, answer.content)


def _present(query: Query | None) -> dict[str, str | int | bool | Sequence[str]]:
    return {key: value for key, value in (query or {}).items() if value is not None}
