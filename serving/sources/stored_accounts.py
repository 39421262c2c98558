"""The KOLs of the store, as sources look for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.sources.kol_accounts import KolAccount
from serving.storage.kol_store import KolStore

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
        found: list[KolAccount] = []
        after: str | None = None
        while page := await self.kols.page(after=after, limit=_PAGE):
            found += [
                KolAccount(kol.kol_id, kol.profile.name, kol.profile.handles.get(platform))
                for kol in page
                if self.kol_id in {None, kol.kol_id}
            ]
            after = page[-1].kol_id
        return found
