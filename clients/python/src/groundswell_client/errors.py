"""The errors of the client.

ClientError
├── ServiceUnreachable
│   ├── InvalidAddress
│   └── ConnectionLost
├── ServiceRefused
└── UnexpectedAnswer
"""


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
    """The service answered with an error.

    Attributes:
        status: the HTTP status.
    """

    code = "refused"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class UnexpectedAnswer(ClientError):
    """The service answered something that this client cannot read."""

    code = "unexpected_answer"
