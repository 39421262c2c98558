"""Which account on a platform is whose, for sources that bring comments of several KOLs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from serving.ingest.importers.known_kols import known_kols
from serving.storage.kol_store import KnownKols


@dataclass(frozen=True, slots=True)
class KolAccount:
    """A KOL as a source may look for it.

    Attributes:
        kol_id: its id.
        name: as people write it; None if nobody entered it.
        handle: its account on the platform, as it was entered; None if there is none.
    """

    kol_id: str
    name: str | None
    handle: str | None


class KolAccounts(Protocol):
    """The KOLs that a source may bring comments of."""

    async def on(self, platform: str) -> Sequence[KolAccount]:
        """The KOLs that are not archived: the source's own if it has one, else all, by id."""
        ...

    async def known(self) -> KnownKols:
        """The same KOLs by what comments may name them by, on every platform."""
        ...


@dataclass(frozen=True, slots=True)
class FixedAccounts:
    """KOLs that never change; for tests.

    Attributes:
        accounts: the KOLs.
    """

    accounts: tuple[KolAccount, ...] = ()

    async def on(self, platform: str) -> Sequence[KolAccount]:
        """The KOLs, on any platform."""
        return self.accounts

    async def known(self) -> KnownKols:
        """The KOLs by their ids."""
        return known_kols((one.kol_id, {}) for one in self.accounts)
