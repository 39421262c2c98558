"""A shift of the negative share, heard at any pace: CUSUMs that find the onset, judged as a whole.

Page (1954) restarts a sum of log-likelihood ratios whenever it falls to zero; Lorden (1971) shows
that no rule is quicker at the same false-alarm rate. One CUSUM runs per size of shift. Its ratios
are binomial and so too sure of themselves: comments under one post agree. So the CUSUM only says
since when, and the stretch since then is judged by a beta-binomial ratio, which knows that.
"""

import msgspec

from monitoring.detectors.likelihood import beta_binomial_llr, increments, logit_shift
from monitoring.errors import SnapshotError

_DELTAS = (0.6, 1.2, 2.0)
_WORTH_JUDGING = 2.0  # nats of the binomial sum below which a stretch is not judged


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
        name: the detector's name in evidence.
        state: what it has seen; carries the best-supported stretch.

    Args:
        share: see `expect`, as are rho, doubt and phi.
        deltas: sizes of shift looked for, in log-odds.
        state: what an earlier one saw; None starts afresh.
    """

    name = "share_shift"
    __slots__ = ("_deltas", "_doubt", "_rates", "_rho", "_share", "_weight", "state")

    def __init__(
        self,
        share: float,
        rho: float,
        doubt: float,
        phi: float = 1.0,
        deltas: tuple[float, ...] = _DELTAS,
        state: ShareShiftState | None = None,
    ) -> None:
        self._deltas = deltas
        self.state = ShareShiftState([_EMPTY] * len(deltas)) if state is None else state
        if len(self.state.lanes) != len(deltas):
            raise SnapshotError(
                f"{len(self.state.lanes)} CUSUMs in the snapshot, not {len(deltas)}"
            )
        self.expect(share, rho, doubt, phi)

    def expect(self, share: float, rho: float, doubt: float, phi: float = 1.0) -> None:
        """Set what is usual.

        Args:
            share: of the comments that matter, in (0, 1).
            rho: correlation of the comments under a loud post.
            doubt: correlation of a calm stretch, with the doubt about the share.
            phi: variance of a comment's probability over that of a 0 or 1, in (0, 1].
        """
        self._share = share
        self._rho = rho
        self._doubt = doubt
        # A comment whose probability scatters less counts for more than one 0 or 1.
        self._weight = 1.0 / phi
        self._rates = [
            (hit * self._weight, miss * self._weight)
            for hit, miss in (increments(share, delta) for delta in self._deltas)
        ]

    def learn_one(self, minute: int, n: int, k: float, excess: float = 0.0) -> None:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC; later than every one before.
            n: comments in it.
            k: sum over them of the probability that matters.
            excess: comments beyond the usual volume.
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
            if total > _WORTH_JUDGING:
                share, other = self._share, logit_shift(self._share, self._deltas[index])
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

    def reset(self) -> None:
        """Start again, as after an incident."""
        state = self.state
        state.lanes[:] = [_EMPTY] * len(state.lanes)
        state.best, state.start, state.terms = 0.0, None, ()
