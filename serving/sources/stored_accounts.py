"""The KOLs of the store, as sources look for them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from serving.ingest.importers.known_kols import known_kols
from serving.sources.kol_accounts import KolAccount
from serving.storage.kol_store import KnownKols, KolRecord, KolStore

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class StoredAccounts:
    """Reads the KOLs each time, so that new ones are found.

    Attributes:
        kols: the KOLs.
        kol_id: of the source; None for every KOL.
    """

    kols: KolStore
    kol_id: str | None

    async def on(self, platform: str) -> Sequence[KolAccount]:
        """The KOLs that are not archived, by id."""
        return [
            KolAccount(kol.kol_id, kol.profile.name, kol.profile.handles.get(platform))
            async for kol in self._records()
        ]

    async def known(self) -> KnownKols:
        """The KOLs by their ids and handles."""
        return known_kols([(kol.kol_id, kol.profile.handles) async for kol in self._records()])

    async def _records(self) -> AsyncIterator[KolRecord]:
        after: str | None = None
        while page := await self.kols.page(after=after, limit=_PAGE):
            for kol in page:
                if self.kol_id in {None, kol.kol_id}:
                    yield kol
            after = page[-1].kol_id
