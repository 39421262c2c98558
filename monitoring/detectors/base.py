"""What every detector of a share is: it learns minutes one by one and scores what it has seen."""

from typing import Any, Protocol


class Detector(Protocol):
    """One detector of one KOL, in river's manner."""

    name: str

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

    def state(self) -> dict[str, Any]:
        """Everything it knows, as JSON-able values."""

    def load(self, state: dict[str, Any]) -> None:
        """Become what `state` returned."""
