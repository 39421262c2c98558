"""Websockets of platforms: allowed addresses only, bounded messages, faults in plain words."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from serving.outgoing.address_rules import ForbiddenAddress
from serving.outgoing.resolution import connect
from serving.sources.faults import Misconfigured, PlatformUnavailable
from serving.sources.platform_client import PlatformAnswer, standard_fault
from serving.sources.source_context import SourceContext

_OPENING = 15.0  # seconds that a handshake may take
_LARGEST = 1 << 20  # bytes of a message
_AT_ONCE = 8 << 20  # bytes of messages that are handed on together
_QUEUE = 64  # messages that wait; then the platform waits


@dataclass(slots=True)
class MessageGroup:
    """Messages that came shortly after each other.

    Attributes:
        wanted: those that were asked for, in order.
        first: the first of all; None if none came.
        last: the last of all.
    """

    wanted: list[bytes] = field(default_factory=list)
    first: bytes | None = None
    last: bytes | None = None


async def open_websocket(
    uri: str, context: SourceContext, headers: Mapping[str, str] | None = None
) -> ClientConnection:
    """Connect; costs one unit of the quota.

    Raises:
        Misconfigured: the address cannot be used.
        SourceFault: the platform cannot be reached, or refuses.
    """
    parts = urlsplit(uri)
    host = parts.hostname
    if parts.scheme not in {"ws", "wss"} or not host:
        raise Misconfigured(f"{uri!r} is no address of a stream; it begins with wss://")
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    await context.quota.spend(1)
    try:
        async with asyncio.timeout(_OPENING):
            opened = await connect(host, port, context.rules)
        return await connect_websocket(
            uri,
            sock=opened,
            additional_headers=dict(headers or {}),
            user_agent_header="groundswell",
            open_timeout=_OPENING,
            max_size=_LARGEST,
            max_queue=_QUEUE,
            proxy=None,
        )
    except ForbiddenAddress as error:
        raise Misconfigured(str(error)) from None
    except InvalidStatus as error:
        answer = error.response
        found = PlatformAnswer(
            answer.status_code,
            httpx.Headers(list(answer.headers.raw_items())),
            bytes(answer.body or b""),
            context.clock.now(),
        )
        raise standard_fault(found, host) from None
    except (OSError, WebSocketException, ValueError) as error:
        why = str(error) or type(error).__name__
        raise PlatformUnavailable(f"{host} cannot be reached: {why}") from None


async def next_messages(
    connection: ClientConnection,
    host: str,
    wants: Callable[[bytes], bool],
    *,
    idle: float = 5.0,
    window: float = 0.2,
    most: int = 500,
) -> MessageGroup:
    """Wait for messages, and put together what comes shortly after each other.

    Args:
        connection: that is read.
        host: how faults name it.
        wants: whether a message is kept; it is quick.
        idle: seconds after which to return without a message that was wanted.
        window: seconds after the first one that was wanted.
        most: messages that are kept.

    Raises:
        PlatformUnavailable: the connection broke, and nothing wanted came before.
    """
    found = MessageGroup()
    size = 0
    try:
        async with asyncio.timeout(idle) as bound:
            while len(found.wanted) < most and size < _AT_ONCE:
                found.last = message = await connection.recv(decode=False)
                found.first = found.first or message
                if not wants(message):
                    continue
                size += len(message)
                found.wanted.append(message)
                if len(found.wanted) == 1:
                    soon = asyncio.get_running_loop().time() + window
                    bound.reschedule(min(bound.when() or soon, soon))
    except TimeoutError:
        pass
    except ConnectionClosed as error:
        if not found.wanted:
            said = error.rcvd.reason if error.rcvd is not None else ""
            why = f": {said}" if said else ""
            raise PlatformUnavailable(f"{host} closed the connection{why}") from None
    return found
