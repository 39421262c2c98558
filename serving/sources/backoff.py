"""How long to wait after failures. Pure but for the dice."""

import random
from dataclasses import dataclass, field

FIRST = 2.0
LONGEST = 300.0


@dataclass(slots=True)
class Backoff:
    """Doubles the pause with each failure in a row, up to `longest`, with jitter.

    Attributes:
        first: seconds after the first failure.
        longest: seconds at most; a platform's own wish may be longer.
        failures: in a row.
    """

    first: float = field(default_factory=lambda: FIRST)
    longest: float = LONGEST
    failures: int = 0

    def fail(self, wanted: float | None = None, dice: float | None = None) -> float:
        """Note a failure; seconds until the next attempt.

        Args:
            wanted: what the platform asks for; the pause is never shorter.
            dice: in [0, 1), for tests.
        """
        self.failures += 1
        pause = min(self.first * 2.0 ** min(self.failures - 1, 30), self.longest)
        throw = random.random() if dice is None else dice  # noqa: S311 - spreads, hides nothing
        # Between half of it and all of it: many sources that fail together come back apart.
        pause *= 0.5 + throw / 2
        return max(pause, 0.0 if wanted is None else wanted + throw)

    def succeed(self) -> None:
        """Note a success."""
        self.failures = 0
