"""The HTTP client of a platform's API: bounds, quota, faults in plain words, ETags, clock skew."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from serving.clock import Clock
from serving.outgoing.address_rules import ForbiddenAddress
from serving.sources.faults import (
    AccountGone,
    BadAnswer,
    Misconfigured,
    PermissionLost,
    PlatformBusy,
    PlatformUnavailable,
    SourceFault,
    TokenExpired,
)
from serving.sources.quota import Quota

_LONGEST_PAUSE = timedelta(days=1)  # that a platform can ask for
_WORDS = 200  # of a refusal that are shown
_SMOOTHING = 0.2


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """What a platform answered to a request.

    Attributes:
        status: 200 to 299, or 304.
        headers: of the answer; names in any case.
        content: the body.
        at: when it was received, aware, UTC.
    """

    status: int
    headers: httpx.Headers
    content: bytes
    at: datetime

    @property
    def not_modified(self) -> bool:
        """Whether nothing changed since the ETag or the time that was sent."""
        return self.status == 304

    @property
    def etag(self) -> str | None:
        """What to send as `etag` the next time."""
        found: str | None = self.headers.get("ETag")
        return found

    @property
    def last_modified(self) -> str | None:
        """What to send as `modified_since` the next time."""
        found: str | None = self.headers.get("Last-Modified")
        return found

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            BadAnswer: it is not, or not whole.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            shown = self.content[:60].decode("utf-8", "replace")
            raise BadAnswer(
                f"the platform answered {len(self.content):,} bytes that are not whole JSON,"
                f" beginning with {shown!r}"
            ) from None

    def object(self) -> Mapping[str, Any]:
        """The body as a JSON object.

        Raises:
            BadAnswer: it is not.
        """
        found = self.json()
        if not isinstance(found, dict):
            raise BadAnswer("the platform answered JSON that is no object")
        return found


# Makes a fault of a refusal: given its answer, which may have any status of 400 or more. None
# leaves it to the status.
FaultReader = Callable[[PlatformAnswer], SourceFault | None]


class ClockSkew:
    """How far a platform's clock is ahead of ours, by the `Date` of its answers.

    Attributes:
        seconds: smoothed; None before the first answer. Negative if it is behind.
    """

    def __init__(self) -> None:
        self.seconds: float | None = None

    def observe(self, date: str | None, at: datetime) -> None:
        """Note the `Date` header of an answer that was received at `at`."""
        found = read_http_date(date)
        if found is None:
            return
        # The header has whole seconds, cut: half a second is what it lacks on average.
        ahead = (found - at).total_seconds() + 0.5
        before = self.seconds
        self.seconds = ahead if before is None else before + _SMOOTHING * (ahead - before)

    def platform_time(self, now: datetime) -> datetime:
        """What the platform's clock shows now, for requests with "since" and "until"."""
        return now + timedelta(seconds=self.seconds or 0.0)


class PlatformClient:
    """Asks a platform. Every refusal becomes a fault in plain words."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str,
        clock: Clock,
        quota: Quota,
        skew: ClockSkew,
        headers: dict[str, str],
        read_fault: FaultReader | None = None,
    ) -> None:
        """Prepare.

        Args:
            http: sends requests to allowed addresses, within bounds.
            base_url: what paths are added to.
            clock: for times.
            quota: is spent before each request.
            skew: learns from each answer.
            headers: of every request; the source may change them, for a new token.
            read_fault: makes faults of refusals that only this platform's bodies explain.
        """
        self.headers = headers
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._quota = quota
        self._skew = skew
        self._read_fault = read_fault

    async def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        cost: int = 1,
        etag: str | None = None,
        modified_since: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> PlatformAnswer:
        """GET a path below the base URL, or a whole URL such as a "next" link.

        A whole URL of another host than the base URL's is refused: it would get the token.

        Args:
            path: begins with `/`, or is a whole URL.
            params: of the query; None values are left out.
            cost: units of the quota.
            etag: of the answer before; the answer is `not_modified` if it still holds.
            modified_since: `Last-Modified` of the answer before.
            headers: of this request.

        Raises:
            SourceFault: the quota is spent, the platform cannot be reached, or it refused.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified_since}
        found = {name: value for name, value in conditions.items() if value is not None}
        return await self.request(
            "GET", path, params=params, cost=cost, headers={**found, **(headers or {})}
        )

    async def post(
        self,
        path: str,
        *,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        cost: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> PlatformAnswer:
        """POST JSON or a form; see `get`."""
        return await self.request(
            "POST", path, params=params, json_body=json_body, form=form, cost=cost, headers=headers
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        cost: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> PlatformAnswer:
        """Send a request; see `get`."""
        url = self._url(path).copy_merge_params(_written(params or {}))
        await self._quota.spend(cost)
        try:
            answer = await self._http.request(
                method,
                url,
                json=json_body,
                data=form,
                headers={**self.headers, **(headers or {})},
            )
        except ForbiddenAddress as error:
            raise Misconfigured(
                f"{url.host} has an address that sources may not connect to",
                remedy="correct the address; for a platform in your own network set"
                " GROUNDSWELL_SOURCE_PRIVATE_ADDRESSES=true",
            ) from error
        except (httpx.LocalProtocolError, UnicodeEncodeError):
            # The error's words would show the secret.
            raise Misconfigured(
                "a token or another secret has characters that cannot be sent in a header",
                remedy="enter it again, on one line and without other characters than the"
                " platform's",
            ) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Misconfigured(f"the address cannot be used: {error}") from None
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise PlatformUnavailable(f"{url.host} cannot be reached: {why}") from None
        at = self._clock.now()
        self._skew.observe(answer.headers.get("Date"), at)
        found = PlatformAnswer(answer.status_code, answer.headers, answer.content, at)
        if answer.status_code < 300 or answer.status_code == 304:
            return found
        raise self._fault(found, url.host)

    def _url(self, path: str) -> httpx.URL:
        try:
            base = httpx.URL(self._base_url)
            if not path.startswith(("http://", "https://")):
                return httpx.URL(self._base_url + path)
            url = httpx.URL(path)
        except httpx.InvalidURL as error:
            raise Misconfigured(f"the address cannot be used: {error}") from None
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            raise BadAnswer(f"the platform's answer leads to another server, {url.host}")
        return url

    def _fault(self, answer: PlatformAnswer, host: str) -> SourceFault:
        if self._read_fault is not None and (read := self._read_fault(answer)) is not None:
            return read
        return standard_fault(answer, host)


def standard_fault(answer: PlatformAnswer, host: str) -> SourceFault:
    """The fault that a status says by itself."""
    status, pause = answer.status, retry_after(answer)
    says = f"{host} answered {status}: {_words(answer)}" if answer.content else ""
    if status == 401:
        return TokenExpired(says or f"{host} refused the token (401)")
    if status == 403:
        return PermissionLost(says or f"{host} refuses access (403)", retry_after=pause)
    if status in {404, 410}:
        return AccountGone(says or f"{host} has nothing there ({status})")
    if status == 429:
        return PlatformBusy(f"{host} asks for a pause (429)", retry_after=pause)
    if status >= 500:
        return PlatformUnavailable(f"{host} answered {status}", retry_after=pause)
    if status in {301, 302, 303, 307, 308}:
        where = answer.headers.get("Location", "elsewhere")
        return Misconfigured(
            f"{host} sends to {where[:_WORDS]}; redirects are not followed",
            remedy="enter that address in the source's settings, if it is right",
        )
    return BadAnswer(says or f"{host} answered {status}")


def retry_after(answer: PlatformAnswer) -> float | None:
    """Seconds of the `Retry-After` header, in either form; a day at most."""
    written = answer.headers.get("Retry-After", "").strip()
    if not written:
        return None
    try:
        seconds = float(written)
    except ValueError:
        at = read_http_date(written)
        if at is None:
            return None
        seconds = (at - answer.at).total_seconds()
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE.total_seconds())


def read_http_date(written: str | None) -> datetime | None:
    """A date as HTTP and e-mail write it; None if it is not one."""
    try:
        found = parsedate_to_datetime(written or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _written(params: Mapping[str, Any]) -> dict[str, str]:
    def word(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    return {name: word(value) for name, value in params.items() if value is not None}


def _words(answer: PlatformAnswer) -> str:
    """The beginning of a refusal's body, on one line."""
    return " ".join(answer.content[: _WORDS * 4].decode("utf-8", "replace").split())[:_WORDS]
