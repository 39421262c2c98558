"""A detector in one file: its settings, its checks, its work and its registration."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from monitoring.detectors.base import Normal
from monitoring.detectors.registry import DetectorType, register
from monitoring.errors import PolicyError
from monitoring.hours import Hour
from monitoring.kinds import AlertFamily
from monitoring.stretch import Stretch


@dataclass(frozen=True, slots=True)
class ToySettings:
    """How many negatives beyond two fifths of the comments are too many."""

    too_many: float = 2.5

    def __post_init__(self) -> None:
        if self.too_many <= 0:
            raise PolicyError(f"too_many must be positive, not {self.too_many}")


class ToyState(msgspec.Struct, array_like=True):
    """The run of negatives, and since when it lasts."""

    value: float = 0.0
    start: int = 0
    n: int = 0
    k: float = 0.0


class ToyDetector:
    """Adds up negatives beyond two fifths of the comments, from zero on."""

    def __init__(self, settings: ToySettings, state: ToyState | None = None) -> None:
        self._settings = settings
        self.state = ToyState() if state is None else state

    def expect(self, normal: Normal) -> None:
        """Two fifths are too many for everybody."""

    def threshold(self, _normal: Normal, _sensitivity: float) -> float:
        return self._settings.too_many

    def learn_one(self, minute: int, n: int, k: float, _excess: float = 0.0) -> None:
        state = self.state
        value = max(0.0, state.value + k - 0.4 * n)
        if value == 0.0:
            self.reset()
            return
        if state.value == 0.0:
            state.start = minute
        state.value, state.n, state.k = value, state.n + n, state.k + k

    def score_one(self) -> float:
        return self.state.value

    def inputs(self) -> dict[str, float]:
        return {"n": self.state.n, "k": self.state.k} if self.state.value else {}

    def scale_minutes(self, now: int) -> float:
        return float(now - self.state.start) if self.state.value else 0.0

    def stretch(self, now: int, expected: Callable[[int, int], float]) -> Stretch | None:
        state = self.state
        if not state.value:
            return None
        return Stretch(state.start, now, state.n, state.k, expected(state.start, now))

    def stretches(
        self, now: int, _hour: Hour, expected: Callable[[int, int], float]
    ) -> list[Stretch]:
        found = self.stretch(now, expected)
        return [] if found is None else [found]

    def reset(self) -> None:
        state = self.state
        state.value, state.start, state.n, state.k = 0.0, 0, 0, 0.0


register(
    DetectorType(
        name="toy",
        family=AlertFamily.BACKLASH,
        state=ToyState,
        minutes=partial(ToyDetector, ToySettings()),
    )
)
