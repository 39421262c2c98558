"""The seam to the outside: what a channel does, and the two ways in which it fails."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, runtime_checkable

from serving.errors import ServingError
from serving.notify.notification import Notification
from serving.storage.digest_record import Digest


class Unavailable(ServingError):
    """The channel did not take it now; another attempt may help.

    Attributes:
        retry_after: how long the other side asked to be left alone; None if it did not.
    """

    code = "channel_unavailable"

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(ServingError):
    """The channel will never take it; trying again is of no use."""

    code = "channel_rejected"


class Channel(Protocol):
    """A way out of the service."""

    @property
    def most(self) -> int:
        """Notifications that one message can hold; 1 where it cannot group."""
        ...

    @property
    def interval(self) -> timedelta:
        """Least time between two messages."""
        ...

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver one message; returning means that the other side has it.

        Args:
            notifications: 1 to `most`, oldest first.

        Raises:
            Unavailable: not delivered; try again.
            Rejected: not delivered, and never will be.
        """
        ...


@runtime_checkable
class DigestChannel(Protocol):
    """What a channel that takes digests can do beside."""

    async def send_digest(self, digest: Digest, *, key: str, public_url: str | None) -> None:
        """Deliver a digest; returning means that the other side has it.

        Args:
            digest: what to tell.
            key: the idempotency key; the same at every attempt.
            public_url: under which people reach this service; None leaves links out.

        Raises:
            Unavailable: not delivered; try again.
            Rejected: not delivered, and never will be.
        """
        ...


class MemoryChannel:
    """A channel that keeps what it is sent; for tests and simulations.

    Attributes:
        sent: every message, each a list of notifications.
        digests: every digest with its key.
        failures: errors to raise at the next attempts, one an attempt.
    """

    def __init__(self, *, most: int = 1, interval: timedelta = timedelta()) -> None:
        self.most = most
        self.interval = interval
        self.sent: list[list[Notification]] = []
        self.digests: list[tuple[str, Digest]] = []
        self.failures: list[Unavailable | Rejected] = []

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Keep a message, or fail as told."""
        self._fail()
        self.sent.append(list(notifications))

    async def send_digest(self, digest: Digest, *, key: str, public_url: str | None) -> None:
        """Keep a digest, or fail as told."""
        self._fail()
        self.digests.append((key, digest))

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
