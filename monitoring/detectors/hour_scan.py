"""Hours with too many and too negative comments: the slow burn that no single minute shows."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import msgspec

from monitoring.baseline import Baseline
from monitoring.detectors.base import Normal
from monitoring.detectors.false_pages import HOURS_PER_MONTH, threshold
from monitoring.detectors.likelihood import beta_binomial_llr
from monitoring.detectors.registry import DetectorType, register
from monitoring.errors import PolicyError
from monitoring.hours import Hour
from monitoring.kinds import AlertFamily
from monitoring.stretch import Stretch

SCALES = (2, 4, 8, 16, 24)  # hours
_PRIOR_SPREAD = 0.3  # variance of log(observed / expected) of a stretch
_PRIOR_WEIGHT = 4.0  # hours
_PRIOR_STRETCHES = 4.0  # stretches of its length that a scale's own dispersion must outweigh
_STRAY = (0.3, 3.0)  # how far a KOL's dispersion may lie from the baseline's
_KEEP = 0.9985  # an hour; half-life about 19 days
_LEARN_AFTER = 24  # hours
_OUTLIER = 9.0  # squared deviations beyond this many times the expected one are cut
_INPUTS = (
    "n", "k", "positive", "x", "expected", "p", "phi", "b", "phi_b", "kappa", "s2",
    "share_nats", "silence_nats", "count_nats",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HourScanSettings:
    """What a scan of hours looks for.

    Attributes:
        offset: of its threshold, in nats.
        count_cap: most nats that the count brings. Volume alone never pages: viral posts are loud.
        silence_cap: most nats that the lack of praise brings; it does not page alone either.
        least_nats: nats that the shares must bring.
        least_negative: negative comments that a stretch must hold.
        least_rise: of the negative share, in points.
    """

    offset: float = -0.73
    count_cap: float = 4.0
    silence_cap: float = 3.0
    least_nats: float = 1.3
    least_negative: float = 7.0
    least_rise: float = 0.03

    def __post_init__(self) -> None:
        for name in ("count_cap", "silence_cap", "least_nats", "least_negative", "least_rise"):
            if getattr(self, name) < 0:
                raise PolicyError(f"{name} must not be negative, but is {getattr(self, name)}")


@dataclass(slots=True)
class _LastHours:
    """The last hours, summed."""

    comments: int = 0
    negative: float = 0.0
    positive: float = 0.0
    excess: float = 0.0
    expected: float = 0.0


_Sums = tuple[float, float]  # a sum and its weight
_Lesson = tuple[
    int, int
]  # spread in 1/10,000 and stray in 1/1,000: whole numbers are cheap to store
_UNITS = (10_000, 1_000)


class HourScanState(msgspec.Struct, array_like=True):
    """What a scan has seen and learnt.

    Attributes:
        ring: the last hours: comments, negative, positive, excess, expected comments.
        spread: per length, variance of log(observed / expected) of such stretches.
        stray: per length, dispersion of the share over the baseline's.
        waiting: what the last hours would teach; not learnt yet, as the baseline's hours are not.
        best: value of the best-scoring stretch, in nats; 0 where none scored.
        scale: its length in hours; 0 where none scored.
        terms: the values of its inputs; empty where none scored.
    """

    ring: list[tuple[int, float, float, float, float]] = msgspec.field(default_factory=list)
    spread: list[_Sums] = msgspec.field(
        default_factory=lambda: [(_PRIOR_SPREAD * _PRIOR_WEIGHT, _PRIOR_WEIGHT) for _ in SCALES]
    )
    stray: list[_Sums] = msgspec.field(
        default_factory=lambda: [(_PRIOR_STRETCHES * scale,) * 2 for scale in SCALES]
    )
    waiting: list[list[_Lesson]] = msgspec.field(default_factory=list)
    best: float = 0.0
    scale: int = 0
    terms: tuple[int | float, ...] = ()


class HourScan:
    """Scan of the last 24 closed hours at five lengths, for share and count together.

    For each length the share of negatives is judged by a beta-binomial ratio against its own best
    fit. Where it rose, the share of positives among the rest is judged too: a crowd that turns
    stops praising, and a classifier that takes a complaint for neutral rarely takes it for praise.
    The count of negatives adds z²/2 of log(observed / expected). How much both shares and counts of
    such stretches stray in quiet times is learnt per KOL and length.

    Attributes:
        state: what it has seen and learnt; carries the best-scoring stretch.

    Args:
        settings: what it looks for.
        state: what an earlier one saw; None starts afresh.
    """

    __slots__ = ("_settings", "state")

    def __init__(self, settings: HourScanSettings, state: HourScanState | None = None) -> None:
        self._settings = settings
        self.state = HourScanState() if state is None else state

    def expect(self, normal: Normal) -> None:
        """Nothing to do: it reads what is normal from the baseline of each hour."""

    def threshold(self, _normal: Normal, sensitivity: float) -> float:
        """The value at which it is sure enough, in nats."""
        return threshold(HOURS_PER_MONTH, sensitivity, self._settings.offset)

    def learn_hour(self, hour: Hour, expected: float, base: Baseline, quiet: bool) -> None:
        """Take one closed hour.

        Args:
            hour: its sums.
            expected: comments expected.
            base: what is normal.
            quiet: no incident is open, so the spread may be learnt.
        """
        state = self.state
        state.ring.append((hour.comments, hour.negative, hour.positive, hour.excess, expected))
        del state.ring[: -SCALES[-1]]
        state.best, state.terms, state.scale = 0.0, (), 0
        lessons: list[_Lesson] = []
        for index, stretch in enumerate(self._stretches()):
            terms, lesson = self._judge(index, stretch, base)
            lessons.append(lesson)
            score = sum(terms[-3:])
            if score > state.best:
                state.best, state.terms, state.scale = score, terms, SCALES[index]
        if quiet:
            state.waiting.append(lessons)
            if len(state.waiting) > _LEARN_AFTER:
                self._learn(state.waiting.pop(0))

    def _stretches(self) -> Iterator[_LastHours]:
        """The last hours at each length that the ring holds."""
        stretch = _LastHours()
        for age, (n, negative, positive, excess, expected) in enumerate(
            reversed(self.state.ring), 1
        ):
            stretch.comments += n
            stretch.negative += negative
            stretch.positive += positive
            stretch.excess += excess
            stretch.expected += expected
            if age in SCALES:
                yield stretch

    def _judge(
        self, index: int, stretch: _LastHours, base: Baseline
    ) -> tuple[tuple[int | float, ...], _Lesson]:
        """The values of `_INPUTS`, which end in the evidence in nats, or nothing where there is
        none; and what the stretch teaches about spread and stray.
        """
        settings = self._settings
        total, dark, share = stretch.comments, stretch.negative, base.share
        usual = stretch.expected * share
        ratio = math.log((dark + 1.0) / (usual + 1.0))
        # Spread of such stretches, chance, and doubt about what is normal.
        chance = 1.0 / (usual + 1.0) + 2.0 / (base.hours + 1.0)
        learnt, weight = self.state.spread[index]
        variance = learnt / weight + chance
        spread = max(min(ratio * ratio, _OUTLIER * variance) - chance, 0.0)
        if total == 0:
            return (), _lesson(spread, 1.0)
        effective = total / base.phi
        loud = stretch.excess / total
        kappa = base.concentration(loud)
        inflation = 1.0 + max(effective - 1.0, 0.0) / kappa
        z2 = (dark - total * share) ** 2 / (total * share * (1 - share) * base.phi)
        lesson = _lesson(spread, min(z2 / inflation, _OUTLIER))
        rise = (share + settings.least_rise) * total
        if dark < settings.least_negative or ratio <= 0 or dark <= rise:
            return (), lesson
        kappa = self._own_kappa(index, effective, inflation)
        fit = min(dark / total, 0.995)
        tone = beta_binomial_llr(effective, dark / base.phi, share, fit, kappa)
        silence = min(_silence(stretch, base, kappa), settings.silence_cap)
        if tone + silence < settings.least_nats:
            return (), lesson
        count = min(ratio * ratio / variance / 2, settings.count_cap)
        return (
            total, dark, stretch.positive, loud, stretch.expected, share, base.phi,
            base.bright, base.bright_phi, kappa, variance, tone, silence, count,
        ), lesson  # fmt: skip

    def _own_kappa(self, index: int, effective: float, inflation: float) -> float:
        """Concentration at which `effective` comments stray as this KOL's stretches do."""
        learnt, weight = self.state.stray[index]
        stray = min(max(learnt / weight, _STRAY[0]), _STRAY[1])
        more = max(effective - 1.0, 1.0)
        return more / max(stray * inflation - 1.0, 1e-3 * more)

    def _learn(self, lessons: list[_Lesson]) -> None:
        for index, lesson in enumerate(lessons):
            learnt = (self.state.spread, self.state.stray)
            for sums, value, unit in zip(learnt, lesson, _UNITS, strict=True):
                total, weight = sums[index]
                sums[index] = (total * _KEEP + value / unit, weight * _KEEP + 1.0)

    def score_one(self) -> float:
        """Largest sum of the ratios over the five lengths, in nats."""
        return self.state.best

    def inputs(self) -> dict[str, float]:
        """What the value can be recomputed from, under the symbols of docs/detection.md.

        Of the best-scoring stretch: its n, k, sum of P(positive), x and expected comments; the
        normal p and b with their phi and phi_b; kappa, and s2, the whole variance of
        log(observed / expected); last the three parts of the value, in nats. Empty where no
        stretch scored.
        """
        terms = self.state.terms
        return dict(zip(_INPUTS, terms, strict=True)) if terms else {}

    def scale_minutes(self, _now: int) -> float:
        """Length of the best-scoring stretch; 0 where none scored."""
        return self.state.scale * 60.0

    def stretch(self, now: int, _expected: Callable[[int, int], float]) -> Stretch | None:
        """The best-scoring stretch, of full hours and what was expected in them; None where none
        scored.
        """
        scale, end = self.state.scale, now // 60 * 60
        if not scale:
            return None
        part = self.state.ring[-scale:]
        n, k, expected = (sum(hour[i] for hour in part) for i in (0, 1, 4))
        return Stretch(end - scale * 60, end, int(n), k, expected)

    def stretches(
        self, now: int, hour: Hour, expected: Callable[[int, int], float]
    ) -> list[Stretch]:
        """The open hour with none of the closed hours before it, with the last, the last two …"""
        start = hour.number * 60
        n, k, usual = hour.comments, hour.negative, expected(start, now)
        found = [Stretch(start, now, n, k, usual)] if n else []
        for age, (more, negative, _, _, normal) in enumerate(reversed(self.state.ring), 1):
            n, k, usual = n + more, k + negative, usual + normal
            found.append(Stretch(start - 60 * age, now, n, k, usual))
        return found

    def reset(self) -> None:
        """Start again, as after an incident; what was learnt stays, its last hours are dropped."""
        state = self.state
        state.ring, state.waiting = [], []
        state.best, state.terms, state.scale = 0.0, (), 0


def _lesson(spread: float, stray: float) -> _Lesson:
    """A lesson in whole units, of the values rounded to as many decimals."""
    return round(round(spread, 4) * _UNITS[0]), round(round(stray, 3) * _UNITS[1])


def _silence(stretch: _LastHours, base: Baseline, kappa: float) -> float:
    """Evidence, in nats, that fewer of those who are not negative are positive; 0 if not fewer."""
    rest = stretch.comments - stretch.negative
    if stretch.positive >= base.bright * rest:
        return 0.0
    fit = max(stretch.positive / rest, 0.005)
    phi = base.bright_phi
    return beta_binomial_llr(rest / phi, stretch.positive / phi, base.bright, fit, kappa)


register(
    DetectorType(
        name="hour_scan",
        family=AlertFamily.BACKLASH,
        state=HourScanState,
        hours=partial(HourScan, HourScanSettings()),
    )
)
