"""What YouTube's refusals mean: the reason is in the body, one status has many."""

from collections.abc import Mapping
from typing import Any

from serving.sources.faults import (
    AccountGone,
    BadAnswer,
    PermissionLost,
    PlatformBusy,
    PlatformUnavailable,
    QuotaSpent,
    SourceFault,
    TokenExpired,
)
from serving.sources.platform_client import PlatformAnswer, retry_after
from serving.sources.quota_period import QuotaPeriod

PACIFIC_DAY = QuotaPeriod(timezone="America/Los_Angeles")  # when YouTube's quotas begin anew


class CommentsDisabled(PermissionLost):
    """Comments are turned off for a video or a channel."""


class PageExpired(BadAnswer):
    """A page token is not valid any more."""


class ProcessingFailure(PlatformUnavailable):
    """YouTube could not process a request; with a page token, the token is often the cause."""


class LiveChatEnded(AccountGone):
    """A live chat ended, was turned off, or is not there."""


_NEW_KEY = (
    "make a new API key in the Google Cloud console (APIs and services, Credentials) and enter it"
    " as the source's api_key"
)
_ENABLE = (
    "enable YouTube Data API v3 for the project of the key in the Google Cloud console, and let"
    " the key's restrictions allow this API and this server"
)
_QUOTA = {"quotaExceeded", "dailyLimitExceeded"}
_BUSY = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_KEY = {"keyInvalid", "keyExpired", "API_KEY_INVALID", "API_KEY_EXPIRED"}
_CHAT = {"liveChatEnded", "liveChatDisabled", "liveChatNotFound"}
_NOT_ENABLED = {
    "accessNotConfigured",
    "ipRefererBlocked",
    "SERVICE_DISABLED",
    "API_KEY_SERVICE_BLOCKED",
    "API_KEY_IP_ADDRESS_BLOCKED",
}


def read_refusal(answer: PlatformAnswer) -> SourceFault | None:
    """The fault that a refusal's reason says; None leaves it to the status."""
    found = _reasons(answer)
    if found & _QUOTA:
        _, end = PACIFIC_DAY.around(answer.at)
        return QuotaSpent(
            "YouTube says that the project's quota of the day is spent",
            remedy="wait until midnight in California, or ask Google for more quota",
            until=end,
            retry_after=(end - answer.at).total_seconds(),
        )
    if found & _BUSY:
        return PlatformBusy("YouTube asks for a pause", retry_after=retry_after(answer))
    if found & _KEY:
        return TokenExpired("YouTube does not know the API key", remedy=_NEW_KEY)
    if found & _NOT_ENABLED:
        return PermissionLost("the project or the key may not use the API", remedy=_ENABLE)
    if "commentsDisabled" in found:
        return CommentsDisabled("comments are turned off", remedy="turn them on in YouTube Studio")
    if found & _CHAT:
        return LiveChatEnded("the live chat ended or was turned off")
    if "invalidPageToken" in found:
        return PageExpired("the page token expired")
    if "processingFailure" in found:
        return ProcessingFailure("YouTube could not process the request")
    return None


def _reasons(answer: PlatformAnswer) -> set[str]:
    """The reasons of a refusal, of Google's older and newer form."""
    try:
        error = answer.object().get("error")
    except BadAnswer:
        return set()
    if not isinstance(error, Mapping):
        return set()
    found = [*_listed(error.get("errors")), *_listed(error.get("details"))]
    return {str(one.get("reason")) for one in found if one.get("reason")}


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
