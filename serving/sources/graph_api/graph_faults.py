"""What the errors and usage headers of Meta's Graph API mean."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from serving.sources.faults import (
    AccountGone,
    BadAnswer,
    PermissionLost,
    PlatformBusy,
    PlatformUnavailable,
    SourceFault,
    TokenExpired,
)
from serving.sources.platform_client import PlatformAnswer, retry_after

_PAUSE = 300.0  # seconds, if Meta does not say how long
_FULL = 95  # percent of a limit, from which on nothing is asked
_WORDS = 200

_TOKEN_CODES = frozenset({102, 190, 463, 467})
_BUSY_CODES = frozenset({4, 17, 32, 341, 613})
_BUSINESS_BUSY = range(80000, 80100)
_PERMISSION_CODES = frozenset({3, 10, *range(200, 300)})
_UNAVAILABLE_CODES = frozenset({1, 2})
_MISSING_CODES = frozenset({24, 803})
_MISSING_SUBCODE = 33
_TOKEN_CAUSES = {
    458: "the person removed the app",
    459: "the person has to sign in on facebook.com first",
    460: "the person changed the password",
    463: "it expired",
    464: "the person has to sign in on facebook.com first",
    467: "it is invalid",
}


class MissingObject(AccountGone):
    """A post or comment is not there: deleted, or hidden from the token (100/33)."""

    standard_remedy = "nothing, if it was deleted; else check that the token may read it"


class InvalidParameter(BadAnswer):
    """A parameter is wrong (100); with a paging cursor, mostly that it expired."""


@dataclass(frozen=True, slots=True)
class GraphUsage:
    """How much of a rate limit is used.

    Attributes:
        percent: of the fullest of its measures.
        regain_seconds: until requests are answered again; None if Meta does not say.
    """

    percent: float
    regain_seconds: float | None = None

    @property
    def pause(self) -> float | None:
        """Seconds in which nothing should be asked; None if there is room."""
        if self.regain_seconds:
            return self.regain_seconds
        return _PAUSE if self.percent >= _FULL else None


def app_usage(headers: httpx.Headers) -> GraphUsage | None:
    """Of the app as a whole: `X-App-Usage`."""
    found = _header(headers, "X-App-Usage")
    return _usage(found) if isinstance(found, dict) else None


def business_usage(headers: httpx.Headers) -> GraphUsage | None:
    """Of one account: `X-Business-Use-Case-Usage`."""
    found = _header(headers, "X-Business-Use-Case-Usage")
    rows = [
        _usage(row)
        for rows in (found.values() if isinstance(found, dict) else ())
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
    ]
    return max(rows, key=lambda one: (one.regain_seconds or 0.0, one.percent), default=None)


def graph_fault(answer: PlatformAnswer) -> SourceFault | None:
    """The fault that an error's code says; None if the body is no error of Meta's."""
    try:
        error = json.loads(answer.content)["error"]
        code = int(error["code"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return _fault_of(error, code, answer)


def _fault_of(error: Mapping[str, Any], code: int, answer: PlatformAnswer) -> SourceFault:
    subcode = error.get("error_subcode")
    says = " ".join(str(error.get("message", "")).split())[:_WORDS]
    if code in _BUSY_CODES or code in _BUSINESS_BUSY:
        return PlatformBusy(
            f"Meta's rate limit is reached (code {code})", retry_after=_pause_of(answer)
        )
    if code in _TOKEN_CODES:
        why = _TOKEN_CAUSES.get(subcode if isinstance(subcode, int) else code, says)
        return TokenExpired(f"Meta refuses the token (code {code}): {why}")
    if code in _PERMISSION_CODES:
        return PermissionLost(f"the token may not read this (code {code}): {says}")
    if code in _MISSING_CODES or (code == 100 and subcode == _MISSING_SUBCODE):
        return MissingObject(f"Meta has nothing there (code {code}): {says}")
    if code in _UNAVAILABLE_CODES or error.get("is_transient") is True:
        return PlatformUnavailable(
            f"Meta has a fault of its own (code {code})", retry_after=retry_after(answer)
        )
    if code == 100:
        return InvalidParameter(f"Meta does not accept a parameter (code 100): {says}")
    if code == 368:
        return PermissionLost(f"Meta blocks the app for a time (code 368): {says}")
    return BadAnswer(f"Meta answered with error {code}: {says}")


def _pause_of(answer: PlatformAnswer) -> float:
    found = retry_after(answer)
    if found is None and (usage := business_usage(answer.headers)) is not None:
        found = usage.regain_seconds
    return _PAUSE if found is None else found


def _usage(row: Mapping[str, Any]) -> GraphUsage:
    measures = [row.get(name) for name in ("call_count", "total_time", "total_cputime")]
    minutes = row.get("estimated_time_to_regain_access")
    return GraphUsage(
        percent=max((one for one in measures if isinstance(one, int | float)), default=0.0),
        regain_seconds=minutes * 60.0 if isinstance(minutes, int | float) else None,
    )


def _header(headers: httpx.Headers, name: str) -> Any:
    try:
        return json.loads(headers.get(name, ""))
    except (ValueError, RecursionError):
        return None
