"""Every detector of one family of alerts, asked together."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from monitoring.baseline import Baseline
from monitoring.detectors.base import Detector, HourDetector, MinuteDetector, Normal
from monitoring.detectors.registry import detector_types
from monitoring.errors import SnapshotError
from monitoring.evidence import DetectorScore
from monitoring.hours import Hour
from monitoring.kinds import AlertFamily
from monitoring.stretch import Stretch

# By the name of the detector; the values' types are those of the registrations.
DetectorStates = dict[str, Any]


class DetectorSet:
    """The detectors of a family, with their thresholds.

    Attributes:
        states: what each detector knows, by its name; of live detectors.

    Args:
        family: whose detectors.
        states: what earlier ones knew, as it was decoded; None starts afresh.

    Raises:
        SnapshotError: the states are those of other detectors, or not theirs.
    """

    __slots__ = ("_all", "_bound", "_hours", "_minutes", "states")

    def __init__(self, family: AlertFamily, states: DetectorStates | None) -> None:
        types = detector_types(family)
        if states is not None and states.keys() != types.keys():
            raise SnapshotError(
                f"the snapshot is of the detectors {', '.join(states) or '(none)'}, this build "
                f"has {', '.join(types) or '(none)'}"
            )
        self._minutes: list[MinuteDetector] = []
        self._hours: list[HourDetector] = []
        for name, one in types.items():
            state = None if states is None else _converted(name, states[name], one.state)
            if one.minutes is not None:
                self._minutes.append(one.minutes(state))
            elif one.hours is not None:
                self._hours.append(one.hours(state))
        everyone: list[Detector] = [*self._minutes, *self._hours]  # the order of `types`
        self._all = [(name, one, 1.0) for name, one in zip(types, everyone, strict=True)]
        self.states: DetectorStates = {name: one.state for name, one, _ in self._all}
        # Asked every minute, so bound once: learn, score and threshold of the minutes' detectors.
        self._bound = [(one.learn_one, one.score_one, 1.0) for one in self._minutes]

    def expect(self, normal: Normal, sensitivity: float) -> None:
        """Compare with `normal` from here on; see `Detector.threshold` for the sensitivity."""
        self._all = [(name, one, one.threshold(normal, sensitivity)) for name, one, _ in self._all]
        for _, one, _ in self._all:
            one.expect(normal)
        self._bound = [
            (learn, score, threshold)
            for (learn, score, _), (_, _, threshold) in zip(self._bound, self._all, strict=False)
        ]

    def learn_one(self, minute: int, n: int, k: float, excess: float) -> float:
        """Take one minute; the largest value of a detector of minutes over its threshold."""
        largest = 0.0
        for learn, score, threshold in self._bound:
            learn(minute, n, k, excess)
            ratio = score() / threshold
            if ratio > largest:
                largest = ratio
        return largest

    def learn_hour(self, hour: Hour, expected: float, base: Baseline, quiet: bool) -> None:
        """Take one closed hour."""
        for detector in self._hours:
            detector.learn_hour(hour, expected, base, quiet)

    @property
    def score(self) -> float:
        """The largest value of a detector over its threshold."""
        return max((one.score_one() / threshold for _, one, threshold in self._all), default=0.0)

    @property
    def hour_score(self) -> float:
        """The same of the detectors of hours."""
        hours = self._all[len(self._minutes) :]
        return max((one.score_one() / threshold for _, one, threshold in hours), default=0.0)

    def scores(
        self, now: int, *, inputs: bool = False, shortest: float = 0.0
    ) -> tuple[DetectorScore, ...]:
        """What each detector says at minute `now` since 1970 UTC, for evidence.

        Args:
            now: end of the last minute taken.
            inputs: with what each value can be recomputed from.
            shortest: scale in minutes where nothing scored.
        """
        return tuple(
            DetectorScore(
                name,
                max(one.scale_minutes(now), shortest),
                one.score_one(),
                threshold,
                one.inputs() if inputs else {},
            )
            for name, one, threshold in self._all
        )

    def stretch(self, now: int, expected: Callable[[int, int], float]) -> Stretch | None:
        """The stretch of the detector that is furthest over its threshold; None where none scored.

        Args:
            now: end of the last minute taken, since 1970 UTC.
            expected: comments expected from one minute up to another.
        """
        # The first of equals: minutes are more exact than hours.
        _, strongest = max(
            ((one.score_one() / threshold, -i) for i, (_, one, threshold) in enumerate(self._all)),
            default=(0.0, 0),
        )
        return self._all[-strongest][1].stretch(now, expected) if self._all else None

    def stretches(
        self, now: int, hour: Hour, expected: Callable[[int, int], float]
    ) -> Iterator[Stretch]:
        """Every stretch up to minute `now` that a detector follows; see `Detector.stretches`."""
        for _, one, _ in self._all:
            yield from one.stretches(now, hour, expected)

    def reset(self) -> None:
        """Start again, as after an incident."""
        for _, one, _ in self._all:
            one.reset()


def _converted(name: str, state: object, wanted: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.convert(state, wanted)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"the snapshot is damaged: the state of {name}: {error}") from error
