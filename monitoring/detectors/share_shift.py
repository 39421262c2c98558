"""A shift of the negative share, heard at any pace: CUSUMs that find the onset, judged as a whole.

Page (1954) restarts a sum of log-likelihood ratios whenever it falls to zero; Lorden (1971) shows
that no rule is quicker at the same false-alarm rate. One CUSUM runs per size of shift. Its ratios
are binomial and so too sure of themselves: comments under one post agree. So the CUSUM only says
since when, and the stretch since then is judged by a beta-binomial ratio, which knows that.
"""

from typing import Any

from monitoring.detectors.likelihood import beta_binomial_llr, increments, logit_shift

_DELTAS = (0.6, 1.2, 2.0)
_WORTH_JUDGING = 2.0  # nats of the binomial sum below which a stretch is not judged


class ShareShift:
    """Bank of CUSUMs on the share of comments that matter.

    Attributes:
        name: the detector's name in evidence.
        start: minute in which the best-supported stretch began; None where there is none.
        n: comments in that stretch.
        k: sum of probabilities in that stretch.
        terms: what else its value was computed from: x, the part of the stretch beyond the usual
            volume; p and p1, the shares compared; phi and kappa. Empty where there is no value.
    """

    name = "share_shift"
    __slots__ = (
        "_best",
        "_deltas",
        "_doubt",
        "_lanes",
        "_rates",
        "_rho",
        "_share",
        "_weight",
        "k",
        "n",
        "start",
        "terms",
    )

    def __init__(
        self,
        share: float,
        rho: float,
        doubt: float,
        phi: float = 1.0,
        deltas: tuple[float, ...] = _DELTAS,
    ) -> None:
        self._deltas = deltas  # sizes of shift looked for, in log-odds
        # Per size of shift: [sum, first minute, comments, sum of probabilities, excess].
        self._lanes: list[list[float]] = [[0.0, 0, 0, 0.0, 0.0] for _ in deltas]
        self._best = 0.0
        self.start: int | None = None
        self.n = 0
        self.k = 0.0
        self.terms: tuple[float, ...] = ()
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
        best = 0.0
        m = n - k
        for index, (hit, miss) in enumerate(self._rates):
            lane = self._lanes[index]
            total = lane[0] + k * hit + m * miss
            if total <= 0.0:
                lane[0] = 0.0
                lane[2] = 0
                continue
            lane[0] = total
            if lane[2] == 0:
                lane[1] = minute
                lane[2] = n
                lane[3] = k
                lane[4] = excess
            else:
                lane[2] += n
                lane[3] += k
                lane[4] += excess
            if total > _WORTH_JUDGING:
                other = logit_shift(self._share, self._deltas[index])
                loud = lane[4] / lane[2]
                kappa = 1.0 / (self._rho * loud * loud + self._doubt)
                weight = self._weight
                value = beta_binomial_llr(
                    lane[2] * weight, lane[3] * weight, self._share, other, kappa
                )
                if value > best:
                    best = value
                    self.start = int(lane[1])
                    self.n = int(lane[2])
                    self.k = lane[3]
                    self.terms = (loud, self._share, other, 1.0 / weight, kappa)
        self._best = best
        if best == 0.0:
            self.start = None
            self.terms = ()

    def score_one(self) -> float:
        """Largest beta-binomial log-likelihood ratio of a stretch that ends now, in nats."""
        return self._best

    def inputs(self) -> dict[str, float]:
        """What the value can be recomputed from, under the symbols of docs/detection.md.

        n, k, x, p, p1, phi and kappa; empty where there is no value.
        """
        if not self.terms:
            return {}
        told = zip(("x", "p", "p1", "phi", "kappa"), self.terms, strict=True)
        return {"n": self.n, "k": self.k, **dict(told)}

    def reset(self) -> None:
        """Start again, as after an incident."""
        for lane in self._lanes:
            lane[0] = 0.0
            lane[2] = 0
        self._best = 0.0
        self.start = None
        self.terms = ()

    def state(self) -> dict[str, Any]:
        """Everything it knows, as JSON-able values."""
        return {
            "lanes": [list(lane) for lane in self._lanes],
            "best": [self._best, self.start, self.n, self.k, *self.terms],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Become what `state` returned."""
        self._lanes = [list(lane) for lane in state["lanes"]]
        self._best, self.start, self.n, self.k, *terms = state["best"]
        self.terms = tuple(terms)
