"""Holds every request to the bounds of its route before the route sees it."""

from collections import Counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.bounded_body import BoundedBody, InFlight, too_large
from serving.access.bounds import ANY, BodyBounds, BoundsTable, RouteBounds
from serving.access.origin_check import SAFE_METHODS
from serving.errors import InvalidRequest, TooManySubscribers
from serving.settings import Settings

_IN_FLIGHT = 8  # bodies of the largest size that are read at the same time
_UNREAD = BodyBounds(64 * 1024, "this address reads no body")


class RequestBounds:
    """ASGI middleware. What the headers say of a body is checked before the request goes on; the
    body itself is read within its bounds when somebody asks for it, which is after authentication.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._table = BoundsTable(settings)
        self._timeout = settings.body_timeout
        self._in_flight = InFlight(_IN_FLIGHT * settings.max_body_bytes)
        self._running: Counter[str] = Counter()  # answers by path, where they are bounded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises:
            ServingError: it is out of bounds, and nothing was answered.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bounds = self._table.of(scope["method"], scope["path"])
        if bounds.at_once is None:
            await self._bounded(bounds, scope, receive, send)
            return
        path = scope["path"]
        if self._running[path] >= bounds.at_once:
            raise TooManySubscribers(
                f"{bounds.at_once} readers are connected already; end one, or raise "
                "GROUNDSWELL_MAX_SUBSCRIBERS"
            )
        self._running[path] += 1
        try:
            await self._bounded(bounds, scope, receive, send)
        finally:
            self._running[path] -= 1

    async def _bounded(
        self, bounds: RouteBounds, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = BoundedBody(
            receive, _body_bounds(scope, bounds), timeout=self._timeout, in_flight=self._in_flight
        )
        scope.setdefault("state", {})["body"] = body
        answered = False

        async def answer(message: Message) -> None:
            nonlocal answered
            if body.fault is None or answered:  # FastAPI says of every fault that it is no JSON
                answered = True
                await send(message)

        try:
            await self._app(scope, body.receive, answer)
        finally:
            body.close()
            if body.fault is not None and not answered:
                raise body.fault


def _body_bounds(scope: Scope, bounds: RouteBounds) -> BodyBounds:
    """The bounds of the body that the headers announce.

    Raises:
        InvalidRequest: `unsupported_media_type`, or `body_too_large` if the headers say so.
    """
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    announced = int(length) if length.isdecimal() else 0
    found = _UNREAD
    if scope["method"] not in SAFE_METHODS and (announced or "transfer-encoding" in headers):
        found = _of_media_type(headers.get("content-type", ""), bounds)
    if found.size is not None and announced > found.size:
        raise too_large(found)
    return found


def _of_media_type(written: str, bounds: RouteBounds) -> BodyBounds:
    """The bounds of a body that says what it is.

    Raises:
        InvalidRequest: `unsupported_media_type`.
    """
    given = written.partition(";")[0].strip().lower()
    if given in bounds.bodies:
        return bounds.bodies[given]
    if given and ANY in bounds.bodies:
        return bounds.bodies[ANY]
    wanted = " or ".join(name for name in bounds.bodies if name != ANY) or "a media type"
    what = f"not {given!r}" if given else "and name it in Content-Type"
    raise InvalidRequest("unsupported_media_type", f"send {wanted}, {what}")
