"""One list of the names by which the service is reached: a name of somebody else is refused.

Without it, a page of any site could make its own name lead to this machine (DNS rebinding) and read
the service through the browser of somebody in the company.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.addresses import is_loopback
from serving.errors import InvalidRequest
from serving.settings import Settings


class HostCheck:
    """ASGI middleware. Refuses requests whose `Host` is no name of this service."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        """Prepare the middleware.

        Args:
            app: what comes next.
            hosts: names and addresses that are right beside loopback ones and the address at which
                the connection arrived.
        """
        self._app = app
        self._hosts = frozenset(_plain(host) for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises:
            InvalidRequest: `unknown_host`.
        """
        if scope["type"] == "http":
            self._check(scope)
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        given = [value for name, value in scope["headers"] if name == b"host"]
        host = host_of(given[0].decode("latin-1")) if len(given) == 1 else None
        if host is None:
            raise InvalidRequest("unknown_host", "the request must have one header Host")
        plain = _plain(host)
        arrived_at = _plain((scope.get("server") or ("",))[0])
        if not (is_loopback(plain) or plain in self._hosts or plain == arrived_at):
            raise InvalidRequest(
                "unknown_host",
                f"{host!r} is no name of this service; if it is one, add it to "
                "GROUNDSWELL_ALLOWED_HOSTS",
            )


def hosts_of(settings: Settings) -> Iterable[str]:
    """The names that the settings give the service."""
    yield settings.host
    if settings.public_url is not None:
        yield urlsplit(settings.public_url).hostname or ""
    for name in (settings.allowed_hosts or "").split(","):
        if name.strip():
            yield name.strip()


def host_of(authority: str) -> str | None:
    """The name or address in a `Host` header, without its port; None if it cannot be read."""
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port
    except ValueError:
        return None
    if parts.netloc != authority or parts.username is not None:
        return None
    return parts.hostname or None


def _plain(host: str) -> str:
    """A host in the one way of writing that is compared."""
    host = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
