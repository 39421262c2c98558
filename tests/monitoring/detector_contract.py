"""What holds of every detector of the table, whichever family it belongs to."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest

from monitoring.baseline import Baseline
from monitoring.detectors.base import HourDetector, MinuteDetector, Normal
from monitoring.detectors.registry import DetectorType, detector_types
from monitoring.hours import Hour
from monitoring.kinds import AlertFamily
from monitoring.stretch import Stretch

NORMAL = Normal(share=0.15, rho=1 / 80, doubt=1 / 300)
CALM = (5, 0.15)  # comments a minute, share that matters
MORE, LESS = (5, 0.6), (5, 0.0)
# What matters to attention is volume, at the normal share.
MORE_VOLUME, LESS_VOLUME = (50, 0.15), (1, 0.15)
DAYS = 10


@dataclass
class Trial:
    """One detector on a stream that is calm for ten days, and then whatever a check asks for."""

    kind: DetectorType
    detector: MinuteDetector | HourDetector
    base: Baseline
    hour: int
    rng: np.random.Generator

    @property
    def about_volume(self) -> bool:
        return self.kind.family is AlertFamily.ATTENTION

    @property
    def more(self) -> tuple[int, float]:
        return MORE_VOLUME if self.about_volume else MORE

    @property
    def less(self) -> tuple[int, float]:
        return LESS_VOLUME if self.about_volume else LESS

    @property
    def value(self) -> float:
        return self.detector.score_one()

    @property
    def threshold(self) -> float:
        return self.detector.threshold(NORMAL, 1.0)

    @property
    def now(self) -> int:
        return self.hour * 60

    def learn(self, rates: tuple[int, float], hours: int, *, calm: bool = False) -> None:
        """Some hours at so many comments a minute and such a share."""
        n, share = rates
        for _ in range(hours):
            hour = Hour(self.hour)
            for minute in range(60):
                k = float(self.rng.binomial(n, share))
                if self.kind.minutes is not None:
                    self.detector.learn_one(self.now + minute, n, k)
                hour.comments += n
                hour.negative += k
                hour.positive += (n - k) / 2
                hour.active += 1
                hour.scatter += (k - n * 0.15) ** 2 / (n * 0.15 * 0.85)
                hour.bright_scatter += 1.0
            if self.kind.hours is not None:
                expected = self.base.expected(self.hour)
                self.detector.learn_hour(hour, expected, self.base, calm)
            if calm:
                self.base.learn_hour(hour)
            self.hour += 1

    def again(self) -> "Trial":
        """The same after its state went through bytes."""
        packed = msgspec.msgpack.encode(self.detector.state)
        state = msgspec.msgpack.decode(packed, type=self.kind.state)
        other = Trial(self.kind, made(self.kind, state), self.base, self.hour, self.rng)
        other.rng = np.random.default_rng(3)
        self.rng = np.random.default_rng(3)
        return other


def made(kind: DetectorType, state: msgspec.Struct | None) -> MinuteDetector | HourDetector:
    build = kind.minutes if kind.minutes is not None else kind.hours
    detector = build(state)
    detector.expect(NORMAL)
    return detector


def trial(name: str, days: int = DAYS) -> Trial:
    kind = detector_types()[name]
    found = Trial(kind, made(kind, None), Baseline(), 0, np.random.default_rng(1))
    found.learn(CALM, 24 * days, calm=True)
    return found


def nothing_learnt_scores_nothing(name: str) -> None:
    fresh = trial(name, days=0)
    assert fresh.value == 0.0
    assert fresh.detector.inputs() == {}
    assert fresh.detector.stretch(0, lambda *_: 0.0) is None
    assert fresh.detector.scale_minutes(0) == 0.0


def what_is_normal_stays_below_the_threshold(name: str) -> None:
    one = trial(name)
    for _ in range(24):
        one.learn(CALM, 1)
        assert one.value < one.threshold


def a_shift_passes_the_threshold_and_shows_its_onset(name: str) -> None:
    one = trial(name)
    onset = one.now
    one.learn(one.more, 6)
    assert one.value >= one.threshold
    stretch = one.detector.stretch(one.now, lambda start, end: 5.0 * (end - start))
    assert onset - 60 <= stretch.start <= onset + 180  # a scan of hours knows it less exactly
    if one.about_volume:
        assert stretch.volume_ratio > 5.0
    else:
        assert stretch.share > 1.5 * NORMAL.share
    assert one.detector.scale_minutes(one.now) == stretch.end - stretch.start


def what_it_follows_lasts_until_now(name: str) -> None:
    def expected(start: int, end: int) -> float:
        return 5.0 * (end - start)

    one = trial(name)
    one.learn(one.more, 3)
    judged = one.detector.stretch(one.now, expected)
    if one.kind.minutes is not None:
        found = one.detector.stretches(one.now, Hour(one.hour), expected)
        assert judged in found
    else:
        now, hour = one.now + 20, Hour(one.hour, comments=9, negative=4.0)
        found = one.detector.stretches(now, hour, expected)
        assert Stretch(one.now, now, 9, 4.0, 100.0) in found
        longer = [stretch for stretch in found if stretch.start == judged.start]
        assert [(each.n, each.k) for each in longer] == [(judged.n + 9, judged.k + 4.0)]
        assert longer[0].expected == pytest.approx(judged.expected + 100.0)
    assert len({each.end for each in found}) == 1
    assert all(0 <= each.k <= each.n for each in found)
    assert trial(name, days=0).detector.stretches(0, Hour(0), expected) == []


def less_of_what_matters_is_no_shift(name: str) -> None:
    one = trial(name)
    one.learn(one.less, 6)
    assert one.value == 0.0


def more_of_it_says_more(name: str) -> None:
    one = trial(name)
    one.learn(one.more, 2)
    early = one.value
    one.learn(one.more, 3)
    assert one.value > early


def a_state_reads_back_and_continues(name: str) -> None:
    one = trial(name)
    one.learn(one.more, 3)
    other = one.again()
    assert other.detector.state == one.detector.state
    assert other.detector.inputs() == one.detector.inputs()
    for each in (one, other):
        each.learn(each.more, 2)
    assert other.value == one.value
    assert other.detector.state == one.detector.state


def a_state_is_always_the_same_object(name: str) -> None:
    """A snapshot refers to it from the beginning."""
    one = trial(name, days=0)
    state = one.detector.state
    one.learn(one.more, 3)
    one.detector.reset()
    assert one.detector.state is state


def a_reset_forgets_the_incident(name: str) -> None:
    one = trial(name)
    one.learn(one.more, 6)
    one.detector.reset()
    assert one.value == 0.0
    assert one.detector.inputs() == {}
    assert one.detector.stretch(one.now, lambda *_: 0.0) is None


def who_bears_fewer_false_pages_gets_no_lower_threshold(name: str) -> None:
    one = trial(name, days=0)
    strict, loose = (one.detector.threshold(NORMAL, value) for value in (0.1, 10.0))
    assert strict >= loose > 0


CHECKS: tuple[Callable[[str], None], ...] = (
    nothing_learnt_scores_nothing,
    what_is_normal_stays_below_the_threshold,
    a_shift_passes_the_threshold_and_shows_its_onset,
    what_it_follows_lasts_until_now,
    less_of_what_matters_is_no_shift,
    more_of_it_says_more,
    a_state_reads_back_and_continues,
    a_state_is_always_the_same_object,
    a_reset_forgets_the_incident,
    who_bears_fewer_false_pages_gets_no_lower_threshold,
)
