"""Events of the stream."""

from dataclasses import dataclass

from groundswell_client.models.alerts import AlertEventInfo
from groundswell_client.models.kols import KolStatusInfo
from groundswell_client.record import decode


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One server-sent event.

    Attributes:
        name: "alert", "mood", or "open" each time the stream is connected.
        event_id: of this or the last event that had one; None before there was any. Give it as
            `last_event_id` to go on after it.
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
