"""Gives the cookie of a session a new value from time to time."""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.session_cookie import SESSION, CookieJar
from serving.access.sessions import Sessions
from serving.access.sign_in_redirect import leads_to_sign_in


class SessionRotation:
    """ASGI middleware. Gives the cookie of a session a new value from time to time.

    Only with pages: a browser asks for one at a time, so that no two answers compete.
    """

    def __init__(
        self,
        app: ASGIApp,
        cookies: CookieJar,
        sessions: Callable[[], Sessions],
        seconds: int,
    ) -> None:
        """Prepare the middleware.

        Args:
            app: what comes next.
            cookies: where the value is.
            sessions: who is signed in.
            seconds: for which browsers keep the cookie.
        """
        self._app = app
        self._cookies = cookies
        self._sessions = sessions
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the new value to its answer."""
        principal = scope.get("state", {}).get("principal")
        if principal is None or principal.session_id is None or not leads_to_sign_in(scope):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        value = self._cookies.read(connection, SESSION) or ""

        async def rotate(message: Message) -> None:
            if message["type"] == "http.response.start":
                new = await self._sessions().rotate(value)
                if new is not None:
                    cookie = self._cookies.written(connection, SESSION, new, self._seconds)
                    MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, rotate)
