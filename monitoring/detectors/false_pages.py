"""The threshold of a backlash detector, for an acceptable rate of false pages."""

import math

# Threshold in nats = log(chances a month) - steepness * log(sensitivity) + offset. The steepness is
# how slowly false pages fall with the threshold; it and the detectors' offsets are measured by
# benchmarks/crisis on its calibration seeds.
_STEEPNESS = 1.15
_LOWEST_THRESHOLD = 3.0
MINUTES_PER_MONTH = 43_200.0
HOURS_PER_MONTH = 720.0


def threshold(chances: float, sensitivity: float, offset: float) -> float:
    """The value in nats from which a detector pages.

    Args:
        chances: how often in 30 days it is asked.
        sensitivity: acceptable false pages per KOL and 30 days.
        offset: its own, in nats.
    """
    wanted = _STEEPNESS * math.log(sensitivity)
    return max(math.log(chances) - wanted + offset, _LOWEST_THRESHOLD)
