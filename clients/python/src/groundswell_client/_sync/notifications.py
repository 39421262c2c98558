"""What the service sends: deliveries, routing and digests."""

from collections.abc import Sequence
from datetime import date

from groundswell_client._sync.connection import Connection
from groundswell_client._sync.listing import Listing
from groundswell_client.models.deliveries import DeliveryInfo
from groundswell_client.models.digests import DigestInfo, SentDigestInfo
from groundswell_client.models.routing import RoutingInfo
from groundswell_client.values import Query, given, part


class Deliveries:
    """`client.deliveries`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        channel: str | None = None,
        state: str | None = None,
        alert_id: str | None = None,
        limit: int | None = None,
    ) -> Listing[DeliveryInfo]:
        """Deliveries, last recorded first."""
        query: Query = {"channel": channel, "state": state, "alert_id": alert_id}
        return Listing(self._connection, "/deliveries", DeliveryInfo, query, limit=limit)

    def resend(self, delivery_id: int | str) -> DeliveryInfo:
        """Send a delivery again, whatever its state."""
        path = f"/deliveries/{delivery_id}/resend"
        return self._connection.send("POST", path, DeliveryInfo)

    def routing(self) -> RoutingInfo:
        """Channels, teams and routes, as the channels file has them."""
        return self._connection.get("/routing", RoutingInfo)


class Digests:
    """`client.digests`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(
        self,
        *,
        every: str | None = None,
        day: date | None = None,
        timezone: str | None = None,
        kols: Sequence[str] | None = None,
        brand: str | None = None,
        name: str | None = None,
    ) -> DigestInfo:
        """The digest of a day or a week."""
        query: Query = {
            "every": every,
            "day": None if day is None else day.isoformat(),
            "timezone": timezone,
            "kol_id": kols,
            "brand": brand,
            "name": name,
        }
        return self._connection.get("/digest", DigestInfo, query)

    def send(
        self, name: str, *, every: str | None = None, day: date | None = None
    ) -> SentDigestInfo:
        """Send a digest of the channels file now."""
        body = given({"every": every, "day": day})
        return self._connection.send("POST", f"/digests/{part(name)}/send", SentDigestInfo, body)
