"""A channel that keeps what it is sent; for tests and simulations."""

from collections.abc import Sequence
from datetime import timedelta

from serving.notify.notification import Notification
from serving.storage.digest_record import Digest


class MemoryChannel:
    """Keeps every message, or fails as `failures` says.

    Attributes:
        most: notifications that one message may hold.
        interval: least time between two messages.
        sent: every message, each a list of notifications.
        digests: every digest with its key.
        failures: errors to raise at the next attempts, one per attempt.
    """

    def __init__(self, *, most: int = 1, interval: timedelta = timedelta()) -> None:
        self.most = most
        self.interval = interval
        self.sent: list[list[Notification]] = []
        self.digests: list[tuple[str, Digest]] = []
        self.failures: list[Exception] = []

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Keep a message, or raise the next failure."""
        self._fail()
        self.sent.append(list(notifications))

    async def send_digest(self, digest: Digest, *, key: str, public_url: str | None) -> None:
        """Keep a digest, or raise the next failure."""
        self._fail()
        self.digests.append((key, digest))

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
