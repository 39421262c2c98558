"""Sign-ins that people began, and for which they were sent to the OpenID provider."""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

SECONDS = 600  # that a person may take at the provider
_MOST = 10_000


def _random() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class OidcFlow:
    """A sign-in that was begun.

    Attributes:
        next_path: where to go after it.
        began: on the monotonic clock, in seconds.
        state: comes back in the address, so that the answer belongs to this sign-in.
        nonce: comes back in the token, so that the token does too.
        verifier: shows the provider that the code comes from who began (PKCE).
    """

    next_path: str
    began: float
    state: str = field(default_factory=_random)
    nonce: str = field(default_factory=_random)
    verifier: str = field(default_factory=_random)


class OidcFlows:
    """Sign-ins that are not finished, each by a value that only the browser has which began it."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._flows: OrderedDict[str, OidcFlow] = OrderedDict()

    def begin(self, next_path: str) -> tuple[str, OidcFlow]:
        """Begin one; returns the value for the browser's cookie."""
        value, flow = _random(), OidcFlow(next_path, self._steady())
        self._flows[_hash(value)] = flow
        if len(self._flows) > _MOST:
            self._flows.popitem(last=False)
        return value, flow

    def take(self, value: str | None) -> OidcFlow | None:
        """Finish the one of a browser; None if there is none, or it took too long.

        Each is taken once: an answer of the provider cannot be used again.
        """
        flow = None if value is None else self._flows.pop(_hash(value), None)
        return None if flow is None or self._steady() - flow.began > SECONDS else flow


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
