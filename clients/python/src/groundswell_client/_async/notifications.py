"""What the service sends: deliveries, routing and digests."""

from collections.abc import Sequence
from datetime import date

from groundswell_client._async.connection import AsyncConnection
from groundswell_client._async.listing import AsyncListing
from groundswell_client.models.deliveries import DeliveryInfo
from groundswell_client.models.digests import DigestInfo, SentDigestInfo
from groundswell_client.models.routing import RoutingInfo
from groundswell_client.values import Query, given, part


class AsyncDeliveries:
    """`client.deliveries`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        channel: str | None = None,
        state: str | None = None,
        alert_id: str | None = None,
        limit: int | None = None,
    ) -> AsyncListing[DeliveryInfo]:
        """Deliveries, last recorded first."""
        query: Query = {"channel": channel, "state": state, "alert_id": alert_id}
        return AsyncListing(self._connection, "/deliveries", DeliveryInfo, query, limit=limit)

    async def resend(self, delivery_id: int | str) -> DeliveryInfo:
        """Send a delivery again, whatever its state."""
        path = f"/deliveries/{delivery_id}/resend"
        return await self._connection.send("POST", path, DeliveryInfo)

    async def routing(self) -> RoutingInfo:
        """Channels, teams and routes, as the channels file has them."""
        return await self._connection.get("/routing", RoutingInfo)


class AsyncDigests:
    """`client.digests`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(
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
        return await self._connection.get("/digest", DigestInfo, query)

    async def send(
        self, name: str, *, every: str | None = None, day: date | None = None
    ) -> SentDigestInfo:
        """Send a digest of the channels file now."""
        body = given({"every": every, "day": day})
        return await self._connection.send(
            "POST", f"/digests/{part(name)}/send", SentDigestInfo, body
        )
