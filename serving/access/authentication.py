"""Finds the principal of every request before anything else of the request is read."""

from collections.abc import Callable, Sequence

import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from model.errors import GroundswellError
from serving.access.authenticator import Authenticator
from serving.access.limit_version import LimitVersion
from serving.access.principal import Principal
from serving.access.scope import Scope
from serving.access.sign_in_redirect import SIGN_IN_PATHS, leads_to_sign_in, to_sign_in
from serving.errors import Forbidden, Unauthenticated

# Verified by their routes: other services call them, without a key of ours.
CALLBACK_PATHS = frozenset({"/v1/lark/callback"})
# Answered to anybody: these say that the service runs, let people sign in, or verify who calls, and
# say nothing of what it holds.
PUBLIC_PATHS = frozenset({"/healthz", "/readyz", *SIGN_IN_PATHS, *CALLBACK_PATHS})
# Below this each address is a secret, and the source that it belongs to verifies what is sent.
PUBLIC_PREFIX = "/v1/webhooks/"
# Made by FastAPI and not by us, so that they cannot say themselves what they require.
READ_PATHS = frozenset({"/", "/docs", "/openapi.json"})
_log = structlog.get_logger(__name__)


class Authentication:
    """ASGI middleware. Puts the principal into `scope["state"]["principal"]`.

    A request without a principal is refused, whatever its path, so that an answer never says which
    paths there are. An answer that lasts ends as soon as its principal is not valid any more: a
    stream of events as if there were no more, a file by a broken connection, or what was received
    of it would pass for the whole.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticators: Callable[[], Sequence[Authenticator]],
        limit_version: Callable[[], LimitVersion],
        refuse: Callable[[GroundswellError], Response],
    ) -> None:
        """Prepare the middleware.

        Args:
            app: what comes next.
            authenticators: asked in this order; the first that knows the request decides.
            limit_version: counts the changes of what limited principals see.
            refuse: makes the answer to a request that is refused.
        """
        self._app = app
        self._authenticators = authenticators
        self._limit_version = limit_version
        self._refuse = refuse

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Find the principal and pass the request on, or refuse it."""
        if scope["type"] != "http" or is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        authenticators, limit_version = self._authenticators(), self._limit_version()
        number = limit_version.number
        try:
            principal = await _principal(HTTPConnection(scope), authenticators)
            if scope["path"] in READ_PATHS and not principal.may(Scope.READ):
                raise Forbidden(f"this needs the scope 'read'; {principal.name!r} does not have it")
        except GroundswellError as error:
            leads_on = isinstance(error, Unauthenticated) and leads_to_sign_in(scope)
            answer = to_sign_in(scope) if leads_on else self._refuse(error)
            await answer(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal

        streams_events = False

        async def send_while_current(message: Message) -> None:
            nonlocal streams_events
            if message["type"] == "http.response.start":
                media_type = Headers(raw=message["headers"]).get("content-type", "")
                streams_events = media_type.startswith("text/event-stream")
            if message["type"] == "http.response.body" and message.get("more_body"):
                is_limited = principal.kols.kol_ids is not None
                if (is_limited and limit_version.number != number) or not all(
                    one.is_current(principal) for one in authenticators
                ):
                    raise PrincipalEnded
            await send(message)

        try:
            await self._app(scope, receive, send_while_current)
        except PrincipalEnded:
            if streams_events:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            else:  # the server closes the connection of an answer that has no end
                _log.warning("answer_broken_off", path=scope["path"], principal=principal.name)


def is_public(path: str) -> bool:
    """Whether anybody is answered there."""
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIX)


class PrincipalEnded(Exception):
    """A key or a session ended while an answer was being sent."""


async def _principal(
    connection: HTTPConnection, authenticators: Sequence[Authenticator]
) -> Principal:
    for one in authenticators:
        principal = await one.authenticate(connection)
        if principal is not None:
            return principal
    raise Unauthenticated(
        "this needs a key: send it as 'Authorization: Bearer gsk_…'; docs/access.md says how to "
        "get one"
    )
