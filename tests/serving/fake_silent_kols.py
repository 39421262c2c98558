"""An engine in which a KOL's silence changes what a test says."""

from dataclasses import dataclass
from datetime import datetime


@dataclass
class FakeSilentKols:
    """Answers alike for every KOL."""

    opened: datetime | None = None
    due: datetime | None = None
    alerted: bool = False

    def open_minute(self, kol_id: str) -> datetime | None:
        return self.opened

    def gap_due(self, kol_id: str) -> datetime | None:
        return self.due

    def has_crowd_alert(self, kol_id: str) -> bool:
        return self.alerted
