"""Leads people without a session to the page where they sign in, and from there back."""

from urllib.parse import urlencode

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from serving.access.own_path import asked_for, relative

SIGN_IN = "/sign-in"
SIGN_IN_PATHS = frozenset(
    {SIGN_IN, f"{SIGN_IN}/password", f"{SIGN_IN}/provider", f"{SIGN_IN}/callback"}
)


def leads_to_sign_in(scope: Scope) -> bool:
    """Whether a browser shows the answer to a person: it asks for a page, or sends a form."""
    if scope["method"] not in ("GET", "HEAD", "POST") or scope["path"].startswith("/v1/"):
        return False
    return "text/html" in HTTPConnection(scope).headers.get("accept", "")


def to_sign_in(scope: Scope) -> Response:
    """Sends a browser to the sign-in, and then to what it asked for. A form is not sent again."""
    back = asked_for(scope)
    query = f"?{urlencode({'next': back})}" if back is not None else ""
    return RedirectResponse(relative(f"{SIGN_IN}{query}", seen_from=scope["path"]), 303)
