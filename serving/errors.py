"""The errors of serving. Their HTTP statuses are in one table, `serving/api/problems.py`."""

from model.errors import GroundswellError


class ServingError(GroundswellError):
    """A request, a file or the store is not as it must be."""

    code = "serving"


class InvalidComment(ServingError):
    """One item of a submission is not a comment.

    Attributes:
        code: the kind of fault, for example `naive_timestamp`.
        field: the field at fault; None where the item as a whole is.
    """

    def __init__(self, code: str, field: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class InvalidRequest(ServingError):
    """A request as a whole cannot be read.

    Attributes:
        field: the parameter at fault; None where the body is.
    """

    def __init__(self, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class Conflict(InvalidRequest):
    """A request is right in itself, but what is stored forbids it.

    Attributes:
        field: the parameter at fault; None where the request as a whole is.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__("conflict", message, field=field)


class RequestInProgress(ServingError):
    """The same request is being carried out already.

    Attributes:
        retry_after: seconds after which another try makes sense.
    """

    code = "request_in_progress"
    retry_after = 1


class AlreadyDone(ServingError):
    """The same request was carried out before, and its answer is not kept."""

    code = "already_done"


class PreconditionFailed(ServingError):
    """What is to be changed is not what the request says it is.

    Attributes:
        etag: what it has now; None if there is none, or nobody compared it.
    """

    code = "precondition_failed"

    def __init__(self, message: str, *, etag: str | None) -> None:
        super().__init__(message)
        self.etag = etag


class InputError(ServingError):
    """A file, or an option that says how to read it, cannot be used; the message names the fix."""

    code = "bad_input"


class Unauthenticated(ServingError):
    """A request names no key or session, or one that is not valid."""

    code = "unauthenticated"


class Forbidden(ServingError):
    """Whoever asks may not do this."""

    code = "forbidden"


class RateLimited(ServingError):
    """A key, or an address whose keys are refused, sends more requests than it may.

    Attributes:
        retry_after: seconds after which another try makes sense.
    """

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFound(ServingError):
    """There is no such KOL, alert, delivery, silence or page."""

    code = "not_found"


class TooBusy(ServingError):
    """The comment log takes no more for the moment; nothing of the request was lost or kept.

    Attributes:
        retry_after: seconds after which another try makes sense.
    """

    code = "too_busy"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManySubscribers(ServingError):
    """As many readers as may listen to the stream do so already.

    Attributes:
        retry_after: seconds after which another try makes sense.
    """

    code = "too_many_subscribers"
    retry_after = 10


class TooManyConnections(ServingError):
    """As many connections as may be open are at work.

    Attributes:
        retry_after: seconds after which another try makes sense.
    """

    code = "too_many_connections"
    retry_after = 5


class NotReady(ServingError):
    """A worker of the service has died or is not up yet."""

    code = "not_ready"


class StoreError(ServingError):
    """The database cannot be opened, migrated or written."""

    code = "store"
