"""A reader of `/v1/stream` that costs little, so that hundreds fit beside the service."""

import asyncio
import contextlib
from urllib.parse import urlsplit

_LINE = 4 * 1024 * 1024  # bytes of the longest line that is read
_PAUSE = 0.5  # seconds before it connects again


class EventReader:
    """Reads the stream as bytes, and connects again with the last id when it ends.

    Attributes:
        alert_ids: ids of the alert events that came, in order.
        moods: number of mood events that came.
        connected: set once it has connected.

    Args:
        url: of the service.
        since: id of the last event that is known; None for what comes from now on.
    """

    def __init__(self, url: str, since: int | None = None) -> None:
        self._address = urlsplit(url)
        self._since = since
        self.alert_ids = list[int]()
        self.moods = 0
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._read()
            await asyncio.sleep(_PAUSE)

    async def _read(self) -> None:
        host, port = self._address.hostname, self._address.port
        incoming, outgoing = await asyncio.open_connection(host, port, limit=_LINE)
        head = f"GET /v1/stream HTTP/1.1\r\nHost: {self._address.netloc}\r\n"
        if self._since is not None:
            head += f"Last-Event-ID: {self._since}\r\n"
        try:
            outgoing.write(f"{head}\r\n".encode())
            status = await incoming.readline()
            if b" 200 " not in status:
                return
            self.connected.set()
            while line := await incoming.readline():
                if line.startswith(b"id:"):
                    self._since = int(line[3:])
                    self.alert_ids.append(self._since)
                elif line.startswith(b"event: mood"):
                    self.moods += 1
        finally:
            outgoing.close()
