"""A typed client of a Groundswell service.

`Client` and `AsyncClient` have the same methods. What they return are frozen records
(`groundswell_client.models`); errors are in `groundswell_client.errors`. It needs httpx, httpx-sse
and msgspec, nothing of the server.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundswell_client._async.client import AsyncClient
    from groundswell_client._sync.client import Client
    from groundswell_client.errors import ClientError
    from groundswell_client.server_event import ServerEvent

__all__ = ["AsyncClient", "Client", "ClientError", "ServerEvent"]

_PLACES = {
    "AsyncClient": "_async.client",
    "Client": "_sync.client",
    "ClientError": "errors",
    "ServerEvent": "server_event",
}


def __getattr__(name: str) -> object:
    """Import a name when it is used, so that one kind of client does not load the other."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
