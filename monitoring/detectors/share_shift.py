"""A shift of a share at any pace: CUSUMs find the onset, and the stretch is judged as a whole.

Page (1954) restarts a sum of log-likelihood ratios whenever it falls to zero; Lorden (1971) shows
that no rule is quicker at the same false-alarm rate. One CUSUM runs per size of shift. Its ratios
are binomial and so too confident: comments under one post agree. So the CUSUM only says since when,
and the stretch since then is judged by a beta-binomial ratio, which knows that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from monitoring.detectors.base import Normal
from monitoring.detectors.false_pages import MINUTES_PER_MONTH, threshold
from monitoring.detectors.likelihood import beta_binomial_llr, increments, logit_shift
from monitoring.detectors.registry import DetectorType, register
from monitoring.errors import PolicyError, SnapshotError
from monitoring.hours import Hour
from monitoring.kinds import AlertFamily
from monitoring.stretch import Stretch


@dataclass(frozen=True, slots=True)
class ShareShiftSettings:
    """What a bank of CUSUMs looks for.

    Attributes:
        deltas: sizes of shift, in log-odds.
        offset: of its threshold, in nats, where that follows the sensitivity.
        fixed_threshold: its threshold in nats, where that does not follow the sensitivity.
        worth_judging: nats of the binomial sum below which a stretch is not judged.
    """

    deltas: tuple[float, ...] = (0.6, 1.2, 2.0)
    offset: float = -1.03
    fixed_threshold: float | None = None
    worth_judging: float = 2.0

    def __post_init__(self) -> None:
        if not self.deltas or min(self.deltas) <= 0:
            raise PolicyError(f"deltas must be positive, not {self.deltas}")
        if self.fixed_threshold is not None and self.fixed_threshold <= 0:
            raise PolicyError(f"fixed_threshold must be positive, not {self.fixed_threshold}")
        if self.worth_judging < 0:
            raise PolicyError(f"worth_judging must not be negative, but is {self.worth_judging}")


# One CUSUM: its sum in nats and, of the stretch since that last was zero, the first minute, the
# comments (0 where there is no stretch), the sum of the probability that matters and the comments
# beyond the normal volume. A tuple, as it is replaced every minute.
_Lane = tuple[float, int, int, float, float]
_EMPTY: _Lane = (0.0, 0, 0, 0.0, 0.0)


class ShareShiftState(msgspec.Struct, array_like=True):
    """What a bank of CUSUMs has seen.

    Attributes:
        lanes: one CUSUM per size of shift.
        best: value of the best-supported stretch, in nats; 0 where there is none.
        start: minute in which that stretch began; None where there is none.
        n: comments in it.
        k: sum of the probability that matters over them.
        terms: what else its value was computed from: x, the part of the stretch beyond the normal
            volume; p and p1, the shares compared; phi and kappa. Empty where there is no value.
    """

    lanes: list[_Lane]
    best: float = 0.0
    start: int | None = None
    n: int = 0
    k: float = 0.0
    terms: tuple[float, ...] = ()


class ShareShift:
    """Bank of CUSUMs on the share of comments that matter.

    Attributes:
        state: what it has seen; carries the best-supported stretch.

    Args:
        settings: what it looks for.
        state: what an earlier one saw; None starts afresh.

    Raises:
        SnapshotError: the state is that of another number of CUSUMs.
    """

    __slots__ = (
        "_doubt",
        "_rates",
        "_rho",
        "_settings",
        "_share",
        "_weight",
        "_worth_judging",
        "state",
    )

    def __init__(self, settings: ShareShiftSettings, state: ShareShiftState | None = None) -> None:
        self._settings = settings
        self._worth_judging = settings.worth_judging
        count = len(settings.deltas)
        self.state = ShareShiftState([_EMPTY] * count) if state is None else state
        if len(self.state.lanes) != count:
            raise SnapshotError(f"{len(self.state.lanes)} CUSUMs in the snapshot, not {count}")
        self._share = self._rho = self._doubt = 0.0
        self._weight = 1.0
        self._rates: list[tuple[float, float]] = []  # none before it knows what is normal

    def expect(self, normal: Normal) -> None:
        """Compare with `normal` from here on."""
        self._share, self._rho, self._doubt = normal.share, normal.rho, normal.doubt
        # A comment whose probability scatters less counts for more than one 0 or 1.
        self._weight = 1.0 / normal.phi
        self._rates = [
            (hit * self._weight, miss * self._weight)
            for hit, miss in (increments(normal.share, delta) for delta in self._settings.deltas)
        ]

    def threshold(self, normal: Normal, sensitivity: float) -> float:
        """The value at which it is sure enough, in nats."""
        if self._settings.fixed_threshold is not None:
            return self._settings.fixed_threshold
        chances = max(normal.active * MINUTES_PER_MONTH, 30.0)
        return threshold(chances, sensitivity, self._settings.offset)

    def learn_one(self, minute: int, n: int, k: float, excess: float = 0.0) -> None:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC; later than every one before.
            n: comments in it.
            k: sum over them of the probability that matters.
            excess: comments beyond the normal volume.
        """
        state, best = self.state, 0.0
        lanes, m = state.lanes, n - k
        for index, (hit, miss) in enumerate(self._rates):
            total, start, comments, sum_k, beyond = lanes[index]
            total = total + k * hit + m * miss
            if total <= 0.0:
                if comments:
                    lanes[index] = _EMPTY
                continue
            if comments == 0:
                start, comments, sum_k, beyond = minute, n, k, excess
            else:
                comments += n
                sum_k += k
                beyond += excess
            lanes[index] = (total, start, comments, sum_k, beyond)
            if total > self._worth_judging:
                share, other = self._share, logit_shift(self._share, self._settings.deltas[index])
                fraction = beyond / comments
                kappa = 1.0 / (self._rho * fraction * fraction + self._doubt)
                weight = self._weight
                value = beta_binomial_llr(comments * weight, sum_k * weight, share, other, kappa)
                if value > best:
                    best = value
                    state.start, state.n, state.k = start, comments, sum_k
                    state.terms = (fraction, share, other, 1.0 / weight, kappa)
        if best != 0.0:
            state.best = best
        elif state.best != 0.0:
            state.best, state.start, state.terms = 0.0, None, ()

    def score_one(self) -> float:
        """Largest beta-binomial log-likelihood ratio of a stretch that ends now, in nats."""
        return self.state.best

    def inputs(self) -> dict[str, float]:
        """What the value can be recomputed from, under the symbols of docs/detection.md.

        n, k, x, p, p1, phi and kappa; empty where there is no value.
        """
        state = self.state
        if not state.terms:
            return {}
        terms = zip(("x", "p", "p1", "phi", "kappa"), state.terms, strict=True)
        return {"n": state.n, "k": state.k, **dict(terms)}

    def scale_minutes(self, now: int) -> float:
        """Length of the best-supported stretch up to minute `now`; 0 where there is none."""
        start = self.state.start
        return 0.0 if start is None else float(now - start)

    def stretch(self, now: int, expected: Callable[[int, int], float]) -> Stretch | None:
        """The best-supported stretch; None where there is none."""
        state = self.state
        if state.start is None:
            return None
        return Stretch(state.start, now, state.n, state.k, expected(state.start, now))

    def stretches(
        self, now: int, _hour: Hour, expected: Callable[[int, int], float]
    ) -> list[Stretch]:
        """The stretch of each CUSUM that has one."""
        return [
            Stretch(start, now, n, k, expected(start, now))
            for _, start, n, k, _ in self.state.lanes
            if n
        ]

    def reset(self) -> None:
        """Start again, as after an incident."""
        state = self.state
        state.lanes[:] = [_EMPTY] * len(state.lanes)
        state.best, state.start, state.terms = 0.0, None, ()


register(
    DetectorType(
        name="share_shift",
        family=AlertFamily.BACKLASH,
        state=ShareShiftState,
        minutes=partial(ShareShift, ShareShiftSettings()),
    )
)
