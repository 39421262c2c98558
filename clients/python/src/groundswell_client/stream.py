"""Server-sent events, parsed as the HTML standard says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from groundswell_client.answer import decode
from groundswell_client.models.alerts import AlertEventInfo
from groundswell_client.models.kols import KolStatusInfo


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One server-sent event.

    Attributes:
        name: "alert", "mood", or "open" when the stream is connected.
        event_id: None where the service gave it none.
        body: its JSON as it was received; empty for "open".
    """

    name: str
    event_id: str | None
    body: bytes

    def alert(self) -> AlertEventInfo:
        """The alert event that an event "alert" carries.

        Raises:
            UnexpectedAnswer: it carries something else.
        """
        return decode(self.body, AlertEventInfo)

    def mood(self) -> KolStatusInfo:
        """The KOL's status that an event "mood" carries.

        Raises:
            UnexpectedAnswer: it carries something else.
        """
        return decode(self.body, KolStatusInfo)


async def parse_events(lines: AsyncIterator[str]) -> AsyncIterator[ServerEvent]:
    """Events from lines; an event that is cut off is dropped, and comments are skipped."""
    name, event_id, data = "message", None, list[str]()
    async for line in lines:
        if not line:
            if data:
                yield ServerEvent(name, event_id, "\n".join(data).encode())
            name, event_id, data = "message", None, []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "data":
            data.append(value)
        elif key == "event":
            name = value
        elif key == "id":
            event_id = value
