"""The interface of detectors: they learn minutes or hours one by one, and score what they saw."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from monitoring.baseline import Baseline
from monitoring.hours import Hour
from monitoring.stretch import Stretch


class Normal(msgspec.Struct, frozen=True):
    """What a detector compares a stream with.

    Attributes:
        share: of the comments that matter, in (0, 1).
        rho: correlation of the comments under a loud post.
        doubt: correlation of a calm stretch, with the doubt about the share.
        phi: variance of a comment's probability over that of a 0 or 1, in (0, 1].
        active: share of the minutes that hold a comment, in (0, 1].
    """

    share: float
    rho: float
    doubt: float
    phi: float = 1.0
    active: float = 1.0


class Detector(Protocol):
    """One detector of one KOL, with river's methods.

    What matters to a detector depends on its family: negative comments to the backlash, positive
    ones to praise, near-copies to a flood.
    """

    @property
    def state(self) -> msgspec.Struct:
        """All that it knows: always the same object, of the registered type."""

    def expect(self, normal: Normal) -> None:
        """Compare with `normal` from here on."""

    def threshold(self, normal: Normal, sensitivity: float) -> float:
        """The value at which it is sure enough for an alert, in nats.

        Args:
            normal: as in `expect`.
            sensitivity: acceptable false pages per KOL and 30 days.
        """

    def score_one(self) -> float:
        """Evidence for a change up to the last minute learnt, in nats; 0 where there is none."""

    def inputs(self) -> dict[str, float]:
        """What the value can be recomputed from; empty where there is none."""

    def scale_minutes(self, now: int) -> float:
        """Length of the stretch judged, up to minute `now` since 1970 UTC; 0 if there is none."""

    def stretch(self, now: int, expected: Callable[[int, int], float]) -> Stretch | None:
        """The stretch judged; None where nothing scored.

        Args:
            now: end of the last minute learnt, since 1970 UTC.
            expected: comments expected from one minute up to another.
        """

    def stretches(
        self, now: int, hour: Hour, expected: Callable[[int, int], float]
    ) -> list[Stretch]:
        """Every stretch up to minute `now` that it follows, whether that scored or not.

        Args:
            now: end of the last minute learnt, since 1970 UTC.
            hour: sums of the open hour up to `now`, empty if `now` is its start.
            expected: comments expected from one minute up to another.
        """

    def reset(self) -> None:
        """Start again, as after an incident."""


class MinuteDetector(Detector, Protocol):
    """A detector that learns minutes."""

    def learn_one(self, minute: int, n: int, k: float, excess: float = 0.0) -> None:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC; later than every one before.
            n: comments in it.
            k: sum over them of the probability that matters.
            excess: comments beyond the normal volume.
        """


class HourDetector(Detector, Protocol):
    """A detector that learns closed hours."""

    def learn_hour(self, hour: Hour, expected: float, base: Baseline, quiet: bool) -> None:
        """Take one closed hour.

        Args:
            hour: its sums.
            expected: comments expected.
            base: what is normal.
            quiet: no incident is open, so the hour may teach what is normal.
        """
