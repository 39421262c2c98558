"""The limit: the delay of a test that knows the true rates and the onset (Lorden 1971)."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.crisis import protocol

TEN_WEEKS = float(np.log(10 * 7 * protocol.MINUTES_PER_DAY))


def limit_delay(
    comments: NDArray[np.int64],
    negative: NDArray[np.int64],
    normal: NDArray[np.float64],
    normal_negative: NDArray[np.float64],
    crisis: NDArray[np.float64],
    crisis_negative: NDArray[np.float64],
) -> float | None:
    """Minutes until the summed log-likelihood ratio passes log(ten KOL-weeks in minutes).

    Args:
        comments: observed per minute from the onset.
        negative: of these, predicted negative.
        normal: true rate of comments without the crisis.
        normal_negative: true rate of negative comments without it.
        crisis: true rate of comments with it.
        crisis_negative: true rate of negative comments with it.

    Returns:
        The delay in minutes, at least 1; None if the ratio does not pass within 24 hours or before
        the crisis ends.
    """
    called0 = _called(normal, normal_negative)
    called1 = _called(crisis, crisis_negative)
    other0, other1 = normal - called0, crisis - called1
    steps = (
        negative * np.log(called1 / called0)
        + (comments - negative) * np.log(other1 / other0)
        - (crisis - normal)
    )
    over = np.flatnonzero(np.cumsum(steps[: 24 * 60]) > TEN_WEEKS)
    return float(over[0] + 1) if len(over) else None


def _called(total: NDArray[np.float64], negative: NDArray[np.float64]) -> NDArray[np.float64]:
    return protocol.HIT_RATE * negative + protocol.FALSE_LABEL_RATE * (total - negative)
