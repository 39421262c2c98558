"""When a request is sent again, and after which pause."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import SystemRandom

_BUSY, _CONFLICT = 429, 409
_PASSING = frozenset({502, 503, 504})
_SHORTEST = 0.05  # seconds
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a request is sent again. Every request of this client may be sent twice: reads change
    nothing, comments and posts have ids, and all else carries an idempotency key.

    Attributes:
        retries: how often in a row after a lost connection or a 502, 503 or 504.
        patience: seconds to wait in all while the service is busy (429) or still carries the same
            request out (409 with Retry-After).
        first: seconds of the first pause, of which up to half is left out at random; each further
            pause is twice as long.
        longest: seconds that a pause is at most.
    """

    retries: int = 3
    patience: float = 300.0
    first: float = 0.5
    longest: float = 10.0

    def start(self) -> "RetryState":
        """The state of a request that is about to be sent."""
        return RetryState(self)


@dataclass(slots=True)
class RetryState:
    """How often a request was sent, and how long it waited."""

    policy: RetryPolicy
    failures: int = 0
    waited: float = field(default=0.0)

    def after_failure(self) -> float | None:
        """Seconds to wait after a lost connection; None to give up."""
        if self.failures >= self.policy.retries:
            return None
        self.failures += 1
        return self._backoff(self.failures)

    def after_answer(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Seconds to wait after an answer; None if it is final."""
        asked = _retry_after(headers)
        if status == _BUSY or (status == _CONFLICT and asked is not None):
            if self.waited >= self.policy.patience:
                return None
            pause = max(1.0 if asked is None else asked, _SHORTEST)
            self.waited += pause
            return pause
        if status in _PASSING:
            pause_or_none = self.after_failure()
            if pause_or_none is None:
                return None
            return max(pause_or_none, min(asked or 0.0, self.policy.longest))
        return None

    def succeeded(self) -> None:
        """Count failures from 0 again: something was received."""
        self.failures = 0

    def _backoff(self, number: int) -> float:
        pause: float = min(self.policy.first * 2 ** (number - 1), self.policy.longest)
        return pause * _random.uniform(0.5, 1.0)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks to wait; None if it does not say."""
    try:
        return float(headers["Retry-After"])
    except (KeyError, ValueError):
        return None
