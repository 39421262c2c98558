"""One-hour sums of a KOL's stream: what the baseline learns and the slow detectors read."""

from dataclasses import astuple, dataclass
from typing import Any, Self


@dataclass(slots=True)
class Hour:
    """One hour of one KOL's stream, summed as its minutes come in.

    Attributes:
        number: hours since 1970 UTC.
        comments: how many.
        negative: sum of P(negative).
        positive: sum of P(positive).
        active: minutes with at least one comment.
        excess: comments beyond the usual volume.
        scatter: sum over its active minutes of (k - np)² / (np(1 - p)), with k the sum of
            P(negative) over n comments and p the usual share.
        bright_scatter: the same for P(positive) over what is not negative.
        tainted: it belongs to an incident and is no example of the usual.
    """

    number: int
    comments: int = 0
    negative: float = 0.0
    positive: float = 0.0
    active: int = 0
    excess: float = 0.0
    scatter: float = 0.0
    bright_scatter: float = 0.0
    tainted: bool = False

    def state(self) -> list[Any]:
        """Everything it knows, as JSON-able values."""
        return list(astuple(self))

    @classmethod
    def restored(cls, state: list[Any]) -> Self:
        """The hour whose `state` this was."""
        return cls(*state)
