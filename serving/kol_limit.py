"""The KOLs that whoever asks may see."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KolLimit:
    """The KOLs that a principal may see; queries are given it, and leave out all others.

    Attributes:
        kol_ids: their ids, as they are now; None for every KOL.
    """

    kol_ids: frozenset[str] | None

    @property
    def is_everything(self) -> bool:
        """Whether no KOL is left out."""
        return self.kol_ids is None

    def allows(self, kol_id: str) -> bool:
        """Whether the principal may see this KOL."""
        return self.kol_ids is None or kol_id in self.kol_ids

    def renamed(self, kol_id: str, new_id: str) -> "KolLimit":
        """The limit after a KOL was given another id."""
        if self.kol_ids is None or kol_id not in self.kol_ids:
            return self
        return KolLimit(self.kol_ids - {kol_id} | {new_id})

    def allows_all(self, kol_ids: Iterable[str]) -> bool:
        """Whether the principal may see each of some KOLs."""
        return all(self.allows(kol_id) for kol_id in kol_ids)


EVERY_KOL = KolLimit(None)
