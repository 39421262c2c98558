"""The last half hour, exponentially faded."""

from typing import Any

FADE_MINUTES = 30.0
_FADE = 1 - 1 / FADE_MINUTES


class ExponentialWindow:
    """Faded sums of comments and of their probabilities; a minute's weight falls to 1/e in 30.

    Attributes:
        n: comments.
        negative: sum of P(negative).
        positive: sum of P(positive).
    """

    __slots__ = ("_minute", "n", "negative", "positive")

    def __init__(self) -> None:
        self._minute = 0
        self.n = 0.0
        self.negative = 0.0
        self.positive = 0.0

    def learn_one(self, minute: int, n: int, negative: float, positive: float) -> None:
        """Take one minute."""
        fade = _FADE ** (minute - self._minute)
        self._minute = minute
        self.n = self.n * fade + n
        self.negative = self.negative * fade + negative
        self.positive = self.positive * fade + positive

    def fade(self, minute: int) -> float:
        """Weight now left of the sums, in (0, 1], if nothing came up to `minute`."""
        weight: float = _FADE ** max(minute - self._minute, 0)
        return weight

    def state(self) -> list[Any]:
        """Everything it knows, as JSON-able values."""
        return [self._minute, self.n, self.negative, self.positive]

    def load(self, state: list[Any]) -> None:
        """Become what `state` returned."""
        self._minute, self.n, self.negative, self.positive = state
