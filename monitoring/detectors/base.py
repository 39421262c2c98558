"""What every detector of a share is: it learns minutes one by one and scores what it has seen."""

from typing import Protocol

import msgspec


class Detector(Protocol):
    """One detector of one KOL, in river's manner."""

    name: str

    @property
    def state(self) -> msgspec.Struct:
        """All that it knows, ready to be encoded."""

    def learn_one(self, minute: int, n: int, k: float, excess: float = 0.0) -> None:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC; later than every one before.
            n: comments in it.
            k: sum over them of the probability that matters.
            excess: comments beyond the usual volume.
        """

    def score_one(self) -> float:
        """Evidence for a change up to the last minute learnt, in nats; 0 where there is none."""
