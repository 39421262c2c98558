"""Hours that are too many and too dark: the slow burn that no single minute shows."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from monitoring.baseline import Baseline
from monitoring.detectors.likelihood import beta_binomial_llr
from monitoring.hours import Hour

SCALES = (2, 4, 8, 16, 24)  # hours
_COUNT_CAP = 4.0  # nats: volume alone never pages, viral posts are loud too
_BRIGHT_CAP = 3.0  # nats: nor does the silence of the positive
_PRIOR_SPREAD = 0.3  # variance of log(observed / expected) of a stretch
_PRIOR_WEIGHT = 4.0  # hours
_PRIOR_STRETCHES = 4.0  # stretches of its length that a scale's own dispersion must outweigh
_STRAY = (0.3, 3.0)  # how far a KOL's dispersion may lie from the baseline's
_KEEP = 0.9985  # an hour; half-life about 19 days
_LEARN_AFTER = 24  # hours
_MINIMUM_SHARE = 1.3  # nats the share must bring
_MINIMUM_NEGATIVE = 7.0  # negative comments
_LEAST_RISE = 0.03  # of the share, in points
_OUTLIER = 9.0  # squared deviations beyond this many times the expected one are cut
_INPUTS = (
    "n", "k", "positive", "x", "expected", "p", "phi", "b", "phi_b", "kappa", "s2",
    "share_nats", "silence_nats", "count_nats",
)  # fmt: skip


@dataclass(slots=True)
class _Stretch:
    """The last hours, summed."""

    comments: int = 0
    negative: float = 0.0
    positive: float = 0.0
    excess: float = 0.0
    expected: float = 0.0


class HourScan:
    """Scan of the last 24 closed hours at five lengths, for share and count together.

    For each length the share of negatives is judged by a beta-binomial ratio against its own best
    fit. Where it rose, the share of positives among the rest is judged too: a crowd that turns
    falls silent with its praise, and a classifier that takes a complaint for neutral rarely takes
    it for praise. The count of negatives adds z²/2 of log(observed / expected). How much both
    shares and counts of such stretches stray in quiet times is learnt per KOL and length.

    Attributes:
        name: the detector's name in evidence.
        scale: the length that scored best, in hours; 0 where none did.
    """

    name = "hour_scan"
    __slots__ = ("_best", "_ring", "_spread", "_stray", "_terms", "_waiting", "scale")

    def __init__(self) -> None:
        # Per hour: comments, negative, positive, excess, expected comments.
        self._ring: deque[tuple[int, float, float, float, float]] = deque(maxlen=SCALES[-1])
        # Per length, sums of what was learnt and their weights: variance of the log count, and
        # dispersion of the share over the baseline's.
        self._spread = [[_PRIOR_SPREAD * _PRIOR_WEIGHT, _PRIOR_WEIGHT] for _ in SCALES]
        self._stray = [[_PRIOR_STRETCHES * scale] * 2 for scale in SCALES]
        # What the last hours would teach, held back as the baseline's hours are.
        self._waiting: deque[list[tuple[float, float]]] = deque()
        self._best = 0.0
        self._terms: tuple[float, ...] = ()  # the values of `_INPUTS` where anything scored
        self.scale = 0

    def learn_hour(self, hour: Hour, expected: float, base: Baseline, quiet: bool) -> None:
        """Take one closed hour.

        Args:
            hour: its sums.
            expected: comments expected.
            base: what is usual.
            quiet: no incident is open, so the spread may be learnt.
        """
        self._ring.append((hour.comments, hour.negative, hour.positive, hour.excess, expected))
        self._best, self._terms, self.scale = 0.0, (), 0
        lessons: list[tuple[float, float]] = []
        for index, stretch in enumerate(self._stretches()):
            terms, lesson = self._judge(index, stretch, base)
            lessons.append(lesson)
            score = sum(terms[-3:])
            if score > self._best:
                self._best, self._terms, self.scale = score, terms, SCALES[index]
        if quiet:
            self._waiting.append(lessons)
            if len(self._waiting) > _LEARN_AFTER:
                self._learn(self._waiting.popleft())

    def _stretches(self) -> Iterator[_Stretch]:
        """The last hours at each length that the ring holds."""
        stretch = _Stretch()
        for age, (n, negative, positive, excess, expected) in enumerate(reversed(self._ring), 1):
            stretch.comments += n
            stretch.negative += negative
            stretch.positive += positive
            stretch.excess += excess
            stretch.expected += expected
            if age in SCALES:
                yield stretch

    def _judge(
        self, index: int, stretch: _Stretch, base: Baseline
    ) -> tuple[tuple[float, ...], tuple[float, float]]:
        """The values of `_INPUTS`, which end in the evidence in nats, or nothing where there is
        none; and what the stretch teaches about spread and stray.
        """
        total, dark, share = stretch.comments, stretch.negative, base.share
        usual = stretch.expected * share
        ratio = math.log((dark + 1.0) / (usual + 1.0))
        # Spread of such stretches, chance, and doubt about what is usual.
        chance = 1.0 / (usual + 1.0) + 2.0 / (base.hours + 1.0)
        learnt, weight = self._spread[index]
        variance = learnt / weight + chance
        spread = max(min(ratio * ratio, _OUTLIER * variance) - chance, 0.0)
        if total == 0:
            return (), (round(spread, 4), 1.0)
        effective = total / base.phi
        loud = stretch.excess / total
        kappa = base.concentration(loud)
        inflation = 1.0 + max(effective - 1.0, 0.0) / kappa
        z2 = (dark - total * share) ** 2 / (total * share * (1 - share) * base.phi)
        lesson = (round(spread, 4), round(min(z2 / inflation, _OUTLIER), 3))
        if dark < _MINIMUM_NEGATIVE or ratio <= 0 or dark <= (share + _LEAST_RISE) * total:
            return (), lesson
        kappa = self._own_kappa(index, effective, inflation)
        fit = min(dark / total, 0.995)
        tone = beta_binomial_llr(effective, dark / base.phi, share, fit, kappa)
        silence = min(_silence(stretch, base, kappa), _BRIGHT_CAP)
        if tone + silence < _MINIMUM_SHARE:
            return (), lesson
        count = min(ratio * ratio / variance / 2, _COUNT_CAP)
        return (
            total, dark, stretch.positive, loud, stretch.expected, share, base.phi,
            base.bright, base.bright_phi, kappa, variance, tone, silence, count,
        ), lesson  # fmt: skip

    def _own_kappa(self, index: int, effective: float, inflation: float) -> float:
        """Concentration at which `effective` comments stray as this KOL's stretches do."""
        learnt, weight = self._stray[index]
        stray = min(max(learnt / weight, _STRAY[0]), _STRAY[1])
        more = max(effective - 1.0, 1.0)
        return more / max(stray * inflation - 1.0, 1e-3 * more)

    def _learn(self, lessons: list[tuple[float, float]]) -> None:
        for index, lesson in enumerate(lessons):
            for sums, value in zip((self._spread[index], self._stray[index]), lesson, strict=True):
                sums[0] = sums[0] * _KEEP + value
                sums[1] = sums[1] * _KEEP + 1.0

    def score_one(self) -> float:
        """Largest sum of the ratios over the five lengths, in nats."""
        return self._best

    def inputs(self) -> dict[str, float]:
        """What the value can be recomputed from, under the symbols of docs/detection.md.

        Of the best-scoring stretch: its n, k, sum of P(positive), x and expected comments; the
        usual p and b with their phi and phi_b; kappa, and s2, the whole variance of
        log(observed / expected); last the three parts of the value, in nats. Empty where no
        stretch scored.
        """
        return dict(zip(_INPUTS, self._terms, strict=True)) if self._terms else {}

    def totals(self) -> tuple[int, float, float]:
        """Comments, sum of P(negative) and expected comments of the best-scoring stretch."""
        part = list(self._ring)[-self.scale :] if self.scale else []
        return (
            sum(hour[0] for hour in part),
            sum(hour[1] for hour in part),
            sum(hour[4] for hour in part),
        )

    def reset(self) -> None:
        """Start again, as after an incident; what was learnt stays, its last hours are dropped."""
        self._ring.clear()
        self._waiting.clear()
        self._best, self._terms, self.scale = 0.0, (), 0

    def state(self) -> dict[str, Any]:
        """Everything it knows, as JSON-able values."""
        return {
            "ring": [list(hour) for hour in self._ring],
            "spread": [list(sums) for sums in self._spread],
            "stray": [list(sums) for sums in self._stray],
            "waiting": [[list(lesson) for lesson in lessons] for lessons in self._waiting],
            "best": [self._best, self.scale, *self._terms],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Become what `state` returned."""
        self._ring = deque(
            (
                (n, negative, positive, excess, expected)
                for n, negative, positive, excess, expected in state["ring"]
            ),
            maxlen=SCALES[-1],
        )
        self._spread = [list(sums) for sums in state["spread"]]
        self._stray = [list(sums) for sums in state["stray"]]
        self._waiting = deque(
            [(spread, stray) for spread, stray in lessons] for lessons in state["waiting"]
        )
        self._best, self.scale, *terms = state["best"]
        self._terms = tuple(terms)


def _silence(stretch: _Stretch, base: Baseline, kappa: float) -> float:
    """Evidence, in nats, that fewer of those who are not negative are positive; 0 if not fewer."""
    rest = stretch.comments - stretch.negative
    if stretch.positive >= base.bright * rest:
        return 0.0
    fit = max(stretch.positive / rest, 0.005)
    phi = base.bright_phi
    return beta_binomial_llr(rest / phi, stretch.positive / phi, base.bright, fit, kappa)
