"""What the operator decides: how many false pages are acceptable, and what counts as critical."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, Self

from monitoring.errors import PolicyError

# What may be set for a single KOL, at any time.
OVERRIDABLE = (
    "sensitivity",
    "minimum_negative",
    "critical_ratio",
    "critical_share",
    "critical_negative",
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of the engine; the defaults are calibrated.

    Attributes:
        sensitivity: false pages per KOL and month (30 days) that are acceptable; 0.43 would be one
            in ten KOL-weeks. Lower is quieter and later.
        lateness: how long a minute stays open for comments that arrive late.
        minimum_negative: expected negative comments (sum of P(negative)) an incident must hold.
        hold: how long an alert stays open at least.
        reopen_within: a second wave within this time of the resolution reopens the alert.
        reopen_fraction: share of the incident's peak rate of negatives a second wave must reach
            right after the resolution; halves every twelve hours.
        cooldown: a second wave within this time of the resolution is an aftershock and pages only …
        aftershock_ratio: … once its rate of negatives is so many times the highest before it.
        longest: an incident that lasts longer is the new normal: it is resolved and learnt.
        critical_ratio: negatives per hour over the normal that make an incident critical …
        critical_share: … when at least this share of the comments is negative …
        critical_negative: … and there are at least this many negatives.
        slow_after: an incident that began earlier than this before its alert is a slow burn.
        flip_below: volume over the normal under which a shift is called a flip.
        brigade_author_share: share of the busiest author that marks a brigade …
        brigade_duplicate_share: … or share of near-duplicates.
        gap_nats: a silence is a data gap when at least so many comments were reliably expected …
        gap_least: … and it lasts at least so long.
    """

    sensitivity: float = 1.0
    lateness: timedelta = timedelta(minutes=2)
    minimum_negative: float = 4.0
    hold: timedelta = timedelta(minutes=30)
    reopen_within: timedelta = timedelta(hours=48)
    reopen_fraction: float = 0.5
    cooldown: timedelta = timedelta(hours=24)
    aftershock_ratio: float = 1.2
    longest: timedelta = timedelta(hours=72)
    critical_ratio: float = 8.0
    critical_share: float = 0.5
    critical_negative: float = 50.0
    slow_after: timedelta = timedelta(hours=3)
    flip_below: float = 1.6
    brigade_author_share: float = 0.4
    brigade_duplicate_share: float = 0.5
    gap_nats: float = 12.0
    gap_least: timedelta = timedelta(minutes=15)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            zero = timedelta(0) if isinstance(value, timedelta) else 0
            if not value >= zero or (value == zero and field.name != "lateness"):
                raise PolicyError(f"{field.name} must be positive, not {value}")
        for name in ("critical_share", "brigade_author_share", "brigade_duplicate_share"):
            if getattr(self, name) > 1:
                raise PolicyError(f"{name} is a share: at most 1, not {getattr(self, name)}")
        if self.lateness.total_seconds() > 3600:
            raise PolicyError(f"lateness is at most one hour, not {self.lateness}")

    def overridden(self, overrides: Mapping[str, float]) -> Self:
        """This policy with some of `OVERRIDABLE` changed, for a single KOL.

        Raises:
            PolicyError: a name is none of them, or a value is outside its range.
        """
        for name in overrides:
            if name not in OVERRIDABLE:
                raise PolicyError(
                    f"{name} cannot be set for a KOL; give one of {', '.join(OVERRIDABLE)}"
                )
        changed: dict[str, Any] = dict(overrides)
        return replace(self, **changed)
