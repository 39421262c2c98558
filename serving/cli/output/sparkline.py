"""Numbers over time as two rows of block characters, readable without colour."""

import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def two_rows(values: Sequence[float | None], bound: float) -> tuple[str, str]:
    """Values as blocks, one character each: the upper row begins where `bound` is reached.

    The lower row is full at `bound`, the upper one at the largest value.

    Args:
        values: not negative; None leaves a blank.
        bound: above 0.

    Returns:
        The upper row and the lower row.
    """
    top = max([value for value in values if value is not None], default=bound)
    upper = (
        " " if value is None or value < bound else _block((value - bound) / ((top - bound) or 1.0))
        for value in values
    )
    lower = (" " if value is None else _block(value / bound) for value in values)
    return "".join(upper), "".join(lower)


def _block(part: float) -> str:
    """The block that is filled to `part`; some of it shows even at 0."""
    return _BLOCKS[min(max(math.ceil(part * len(_BLOCKS)), 1), len(_BLOCKS)) - 1]
