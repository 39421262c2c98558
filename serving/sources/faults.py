"""Why a source sees nothing: in plain words, with what to do."""

from datetime import datetime
from enum import StrEnum

from serving.errors import ServingError


class FaultKind(StrEnum):
    """What is wrong with a source."""

    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a fault
    PERMISSION_LOST = "permission_lost"
    ACCOUNT_GONE = "account_gone"
    QUOTA_SPENT = "quota_spent"
    RATE_LIMITED = "rate_limited"
    PLATFORM_UNAVAILABLE = "platform_unavailable"
    BAD_ANSWER = "bad_answer"
    SUBSCRIPTION_LOST = "subscription_lost"
    MISCONFIGURED = "misconfigured"
    UNEXPECTED = "unexpected"


class SourceFault(ServingError):
    """A source could not do its work; raise one of the classes below.

    Attributes:
        kind: what is wrong.
        remedy: what a person should do, as an order: "make a new token at … and enter it with …".
        retry_after: seconds that the platform wants to be left alone; None if it does not say.
        until: when it ends by itself, aware; None if nobody knows.
    """

    code = "source_fault"
    kind = FaultKind.UNEXPECTED
    standard_remedy = "see the service's log"

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        retry_after: float | None = None,
        until: datetime | None = None,
    ) -> None:
        """Say what happened.

        Args:
            message: what happened, in plain words, without secrets.
            remedy: what to do; what the class says if left out.
            retry_after: seconds that the platform wants to be left alone.
            until: when it ends by itself.
        """
        super().__init__(message)
        self.remedy = remedy or self.standard_remedy
        self.retry_after = retry_after
        self.until = until


class TokenExpired(SourceFault):
    """The platform does not know the token any more (401)."""

    kind = FaultKind.TOKEN_EXPIRED
    standard_remedy = "make a new token on the platform and enter it in the source's settings"


class PermissionLost(SourceFault):
    """The token is right, but may not read this (403)."""

    kind = FaultKind.PERMISSION_LOST
    standard_remedy = (
        "give the app its permissions again, as the platform's page in docs/sources/ lists them"
    )


class AccountGone(SourceFault):
    """The account, channel or group is not there: deleted, renamed or private (404)."""

    kind = FaultKind.ACCOUNT_GONE
    standard_remedy = "check the account on the platform, and correct it in the source's settings"


class QuotaSpent(SourceFault):
    """The budget of the source, or what the platform allows in a day, is spent."""

    kind = FaultKind.QUOTA_SPENT
    standard_remedy = "wait for the new day, or ask the platform for more and raise the budget"


class PlatformBusy(SourceFault):
    """The platform asks for a pause (429)."""

    kind = FaultKind.RATE_LIMITED
    standard_remedy = "nothing: it is asked again after the pause that it wants"


class PlatformUnavailable(SourceFault):
    """The platform cannot be reached, takes too long, or says that it is broken (5xx)."""

    kind = FaultKind.PLATFORM_UNAVAILABLE
    standard_remedy = "check the platform's status page; it is asked again by itself"


class BadAnswer(SourceFault):
    """The platform answered something that its documentation does not say: cut JSON, no list."""

    kind = FaultKind.BAD_ANSWER
    standard_remedy = "see the service's log; if it lasts, the platform has changed: report it"


class SubscriptionLost(SourceFault):
    """The platform does not call the webhook any more."""

    kind = FaultKind.SUBSCRIPTION_LOST
    standard_remedy = "subscribe the webhook again, as the platform's page in docs/sources/ says"


class Misconfigured(SourceFault):
    """The settings of the source cannot work: a wrong address, a secret that is not there."""

    kind = FaultKind.MISCONFIGURED
    standard_remedy = "correct the source's settings"


class UnverifiedRequest(ServingError):
    """A request to a webhook's address is not the platform's; it is answered with 404."""

    code = "not_found"
