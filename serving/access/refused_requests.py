"""Refused keys and forbidden requests: counted, limited and written to the audit log."""

import ipaddress

from starlette.requests import HTTPConnection

from serving.access.audit_log import AuditLog, client_address
from serving.access.principal import Principal
from serving.access.rate_limiter import RateLimiter
from serving.errors import RateLimited
from serving.metrics import Metrics

_ENTRIES_PER_MINUTE = 120  # of all refusals together, so that nobody can fill the disk with them


class RefusedRequests:
    """Keeps what refusals cost within bounds."""

    def __init__(self, audit_log: AuditLog, metrics: Metrics, *, per_minute: int) -> None:
        """Start with nothing refused.

        Args:
            audit_log: where refusals are written.
            metrics: where they are counted.
            per_minute: refused credentials of an address after which it has to wait.
        """
        self._audit_log = audit_log
        self._metrics = metrics
        self._by_address = RateLimiter(per_minute)
        self._entries = RateLimiter(_ENTRIES_PER_MINUTE)

    async def bad_credentials(
        self, connection: HTTPConnection, action: str, detail: dict[str, str]
    ) -> None:
        """Note that the credentials of a request are not valid. Valid ones are never limited here.

        Raises:
            RateLimited: too many came from this address; this one is not written down.
        """
        self._metrics.refused_requests.labels("unauthenticated").inc()
        wait = self._by_address.take(network_of(client_address(connection)))
        if wait:
            raise RateLimited(
                "too many refused keys or passwords came from this address", retry_after=wait
            )
        if not self._entries.take(""):
            await self._audit_log.refused(connection, None, action, status=401, detail=detail)

    async def forbidden(
        self, connection: HTTPConnection, principal: Principal, action: str, why: str
    ) -> None:
        """Note that a principal asked for what it may not do."""
        self._metrics.refused_requests.labels("forbidden").inc()
        if not self._entries.take(""):
            await self._audit_log.refused(
                connection, principal, action, status=403, detail={"why": why}
            )


def network_of(address: str | None) -> str:
    """What is limited: an IPv4 address, or the network of an IPv6 one, which one host has whole."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:  # as a socket for both kinds shows an IPv4 client
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((int(ip), 64), strict=False))
