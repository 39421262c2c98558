"""What an alert can look like, how bad it is, and what happens to it: every word in one place."""

from enum import StrEnum


class AlertFamily(StrEnum):
    """What an alert is about; a KOL has at most one open alert of each family."""

    BACKLASH = "backlash"
    PRAISE = "praise"
    FLOOD = "flood"
    ATTENTION = "attention"
    GAP = "gap"


class AlertKind(StrEnum):
    """What an incident looks like."""

    BACKLASH = "backlash"
    FLIP = "flip"
    SLOW_BURN = "slow_burn"
    BRIGADE = "brigade"
    PRAISE_SURGE = "praise_surge"
    COMMENT_FLOOD = "comment_flood"
    ATTENTION_SURGE = "attention_surge"
    DATA_GAP = "data_gap"

    @property
    def informs(self) -> bool:
        """Whether alerts of this kind never page."""
        return self in _INFORM

    @property
    def family(self) -> AlertFamily:
        """What alerts of this kind are about."""
        return _FAMILIES.get(self, AlertFamily.BACKLASH)


_INFORM = frozenset(
    {
        AlertKind.PRAISE_SURGE,
        AlertKind.COMMENT_FLOOD,
        AlertKind.ATTENTION_SURGE,
        AlertKind.DATA_GAP,
    }
)
_FAMILIES = {
    AlertKind.PRAISE_SURGE: AlertFamily.PRAISE,
    AlertKind.COMMENT_FLOOD: AlertFamily.FLOOD,
    AlertKind.ATTENTION_SURGE: AlertFamily.ATTENTION,
    AlertKind.DATA_GAP: AlertFamily.GAP,
}

# What counts in these is how many comments there are, not how negative they are.
BY_VOLUME = frozenset({AlertKind.PRAISE_SURGE, AlertKind.COMMENT_FLOOD, AlertKind.ATTENTION_SURGE})


class Severity(StrEnum):
    """How bad an alert is, in rising order; compare with `rank`, as text would sort by letter."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place in the rising order, from 0."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Reason(StrEnum):
    """Why an alert event was raised.

    `AFTERSHOCK` is open again for a wave soon after the end that is so far no larger than those
    before, `REOPENED` for one that is larger or comes later. `REVISED`: comments that came late
    changed what had been reported; no detector raises it.
    """

    OPENED = "opened"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    AFTERSHOCK = "aftershock"
    REOPENED = "reopened"
    REVISED = "revised"


class AlertState(StrEnum):
    """Whether an alert lasts; `REVISED`: with the comments that came late there is no incident."""

    OPEN = "open"
    RESOLVED = "resolved"
    REVISED = "revised"
