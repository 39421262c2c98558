"""Cookies of sign-in: their names, who may read them, and how long they last."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

SESSION = "groundswell_session"
SIGN_IN = "groundswell_sign_in"


class CookieJar:
    """Writes and reads the cookies of this service.

    Where people come by https, a cookie is `Secure`, and its name begins with `__Host-`: browsers
    then take it from this very host only, so that nobody can plant one from another.
    """

    def __init__(self, public_url: str | None) -> None:
        self._is_public_https = urlsplit(public_url or "").scheme == "https"

    def read(self, connection: HTTPConnection, name: str) -> str | None:
        """The value of a cookie; None if there is none, or several that differ.

        A browser sends several of one name where another site of the domain, or whoever sits
        between on http, has planted one. It does not say which is ours, so none is taken.
        """
        wanted = self._full_name(connection, name)
        found = set()
        for header in connection.headers.getlist("cookie"):
            for part in header.split(";"):
                given, _, value = part.strip().partition("=")
                if given == wanted:
                    found.add(value)
        return found.pop() if len(found) == 1 else None

    def written(self, connection: HTTPConnection, name: str, value: str, seconds: int) -> str:
        """The header `Set-Cookie` that keeps a value for so long; 0 seconds remove it."""
        parts = [
            f"{self._full_name(connection, name)}={value}",
            "Path=/",
            f"Max-Age={seconds}",
            "HttpOnly",
            "SameSite=Lax",
        ]
        if self._is_secure(connection):
            parts.append("Secure")
        return "; ".join(parts)

    def _full_name(self, connection: HTTPConnection, name: str) -> str:
        return f"__Host-{name}" if self._is_secure(connection) else name

    def _is_secure(self, connection: HTTPConnection) -> bool:
        return self._is_public_https or connection.scope["scheme"] == "https"
