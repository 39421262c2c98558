"""The last half hour, exponentially faded."""

import msgspec

FADE_MINUTES = 30.0
FADE = 1 - 1 / FADE_MINUTES


class ExponentialWindow(msgspec.Struct, array_like=True):
    """Faded sums of comments and of their probabilities; a minute's weight falls to 1/e in 30.

    Attributes:
        minute: the last minute taken, since 1970 UTC.
        n: comments.
        negative: sum of P(negative).
        positive: sum of P(positive).
    """

    minute: int = 0
    n: float = 0.0
    negative: float = 0.0
    positive: float = 0.0

    def learn_one(self, minute: int, n: int, negative: float, positive: float) -> None:
        """Take one minute."""
        fade = FADE ** (minute - self.minute)
        self.minute = minute
        self.n = self.n * fade + n
        self.negative = self.negative * fade + negative
        self.positive = self.positive * fade + positive

    def fade(self, minute: int) -> float:
        """Weight now left of the sums, in (0, 1], if nothing came up to `minute`."""
        weight: float = FADE ** max(minute - self.minute, 0)
        return weight
