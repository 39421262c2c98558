"""One check for all writes: a page of another site cannot make a browser send them.

Only headers that browsers set and pages cannot forge say where a request comes from:
`Sec-Fetch-Site`, or `Origin` where that is missing (plain http to another machine).
"""

from collections.abc import Mapping
from enum import Enum, auto
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.errors import InvalidRequest

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_API = "/v1/"


class Sender(Enum):
    """Who made a request."""

    OWN_PAGE = auto()
    OTHER_SITE = auto()
    PROGRAM = auto()  # nothing says that a browser sent it


class OriginCheck:
    """ASGI middleware. Refuses writes that a page of another site has sent.

    Programs send neither header. They use the API; the forms of pages are for browsers, so a form
    without either header is refused too.
    """

    def __init__(self, app: ASGIApp, public_url: str | None) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises:
            InvalidRequest: `cross_site`.
        """
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            sender = sender_of(Headers(scope=scope), self._public_url)
            if sender is Sender.OTHER_SITE or (
                sender is Sender.PROGRAM and not scope["path"].startswith(_API)
            ):
                raise InvalidRequest(
                    "cross_site",
                    "this request came from another site. Nothing was changed. If it came from "
                    "this service's own page, open the page at GROUNDSWELL_PUBLIC_URL",
                )
        await self._app(scope, receive, send)


def sender_of(headers: Mapping[str, str], public_url: str | None) -> Sender:
    """Who made a request.

    Args:
        headers: of the request, names in lower case.
        public_url: public address of the service; None if not set.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return Sender.OWN_PAGE if site == "same-origin" else Sender.OTHER_SITE
    given = headers.get("origin")
    if given is None:
        return Sender.PROGRAM
    origin = urlsplit(given)
    if not origin.netloc:  # "null": a page in a sandbox
        return Sender.OTHER_SITE
    own = urlsplit(public_url or "")
    if (origin.scheme, origin.netloc) == (own.scheme, own.netloc):
        return Sender.OWN_PAGE
    return Sender.OWN_PAGE if origin.netloc == headers.get("host") else Sender.OTHER_SITE
