"""Log-likelihood ratios of the beta-binomial, for real-valued counts."""

import math

_lgamma = math.lgamma


def logit_shift(share: float, delta: float) -> float:
    """The share whose log-odds are `delta` above those of `share`."""
    odds = share / (1 - share) * math.exp(delta)
    return odds / (1 + odds)


def beta_binomial_llr(n: float, k: float, share: float, other: float, kappa: float) -> float:
    """Log BB(k | n, other) - log BB(k | n, share), both with concentration `kappa`, in nats.

    The binomial coefficient and every term in n alone cancel. As n grows it tends to a limit like
    kappa * KL(share ‖ other), so a stretch of correlated comments does not convince by its length
    alone.
    """
    a0, b0 = share * kappa, (1 - share) * kappa
    a1, b1 = other * kappa, (1 - other) * kappa
    m = n - k
    return (
        _lgamma(k + a1)
        - _lgamma(a1)
        + _lgamma(m + b1)
        - _lgamma(b1)
        - _lgamma(k + a0)
        + _lgamma(a0)
        - _lgamma(m + b0)
        + _lgamma(b0)
    )


def increments(share: float, delta: float) -> tuple[float, float]:
    """Binomial log-likelihood ratio of one comment that matters and of one that does not."""
    other = logit_shift(share, delta)
    return math.log(other / share), math.log((1 - other) / (1 - share))
