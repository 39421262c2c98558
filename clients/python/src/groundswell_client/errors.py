"""The errors of the client.

ClientError
├── ServiceUnreachable
│   ├── InvalidAddress
│   └── ConnectionLost
├── ServiceRefused
│   ├── InvalidRequestError
│   ├── AuthenticationError
│   ├── PermissionDeniedError
│   ├── NotFoundError
│   ├── ConflictError
│   ├── PreconditionFailedError
│   ├── RateLimitError
│   └── ServiceUnavailableError
└── UnexpectedAnswer
"""

import json
from collections.abc import Mapping


class ClientError(Exception):
    """A request to the service has failed.

    Attributes:
        code: a stable name of the kind of error.
    """

    code: str


class ServiceUnreachable(ClientError):
    """No service answers at the address."""

    code = "unreachable"


class InvalidAddress(ServiceUnreachable):
    """The address is not one of an HTTP service."""


class ConnectionLost(ServiceUnreachable):
    """The connection broke off during a request."""


class ServiceRefused(ClientError):
    """The service answered with an error; one of another status than those below, if it is no
    subclass.

    Attributes:
        status: the HTTP status.
        code: the service's own code, as docs/errors.md lists them; "refused" if it gave none.
        detail: what is wrong and how to fix it, as the service says it.
        field: the field or parameter that is wrong; None if it is none.
    """

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "refused",
        detail: str = "",
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.detail = detail or message
        self.field = field


class InvalidRequestError(ServiceRefused):
    """The request is not valid (400, 413, 415 or 422)."""


class AuthenticationError(ServiceRefused):
    """The request has no key, or one that is unknown, expired or revoked (401)."""


class PermissionDeniedError(ServiceRefused):
    """The key may not do this (403)."""


class NotFoundError(ServiceRefused):
    """What was asked for does not exist, or the key must not know of it (404)."""


class ConflictError(ServiceRefused):
    """What is stored forbids it (409)."""


class PreconditionFailedError(ServiceRefused):
    """Somebody else changed it since it was read (412)."""


class RateLimitError(ServiceRefused):
    """The service is busy, or the key sends too many requests, for longer than was waited (429)."""


class ServiceUnavailableError(ServiceRefused):
    """The service cannot answer now (502, 503 or 504)."""


class UnexpectedAnswer(ClientError):
    """The service answered something that this client cannot read."""

    code = "unexpected_answer"


_KINDS: Mapping[int, type[ServiceRefused]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: PreconditionFailedError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitError,
    502: ServiceUnavailableError,
    503: ServiceUnavailableError,
    504: ServiceUnavailableError,
}


def refusal(status: int, reason: str, body: bytes) -> ServiceRefused:
    """The error for an answer.

    Args:
        status: its HTTP status.
        reason: the words of the status, used if the body explains nothing.
        body: problem details (RFC 9457), or anything else.
    """
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    detail = str(problem.get("detail") or reason or "no reason given")
    code, field = problem.get("code"), problem.get("field")
    return _KINDS.get(status, ServiceRefused)(
        f"the service answered {status}: {detail}",
        status=status,
        code=code if isinstance(code, str) else "refused",
        detail=detail,
        field=field if isinstance(field, str) else None,
    )
