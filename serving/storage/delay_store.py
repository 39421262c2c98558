"""The normal delays of sources, for readers."""

from collections.abc import Collection
from datetime import datetime

from serving.storage.database import Database
from serving.storage.delay_rows import delays_of_kols, delays_of_platforms, late_sources
from serving.storage.source_delay import LateSource, SourceDelay


class DelayStore:
    """The `source_delays` table; the pipeline's step writes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_kols(self, kol_ids: Collection[str]) -> dict[str, list[SourceDelay]]:
        """The delays of KOLs by platform; a KOL without live comments has an empty list."""
        async with self._database.read() as connection:
            return await delays_of_kols(connection, kol_ids)

    async def of_platforms(self, most: int) -> list[SourceDelay]:
        """The known delays over all KOLs, of at most so many platforms."""
        async with self._database.read() as connection:
            return await delays_of_platforms(connection, most)

    async def late_sources(self, alert_id: str, now: datetime) -> tuple[LateSource, ...]:
        """The platforms whose comments may be missing in an alert, the slowest first."""
        async with self._database.read() as connection:
            return (await late_sources(connection, [alert_id], now)).get(alert_id, ())
