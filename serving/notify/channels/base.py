"""What a channel does, and the two ways in which it fails."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, runtime_checkable

from serving.errors import ServingError
from serving.notify.notification import Notification
from serving.storage.digest_record import Digest


class Unavailable(ServingError):
    """The message was not delivered; another attempt may help.

    Attributes:
        retry_after: the pause that the receiver asked for; None if it asked for none.
        answered: whether the receiver read the message and failed, so that the message may be at
            fault.
    """

    code = "channel_unavailable"

    def __init__(
        self, message: str, *, retry_after: timedelta | None = None, answered: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.answered = answered


class Rejected(ServingError):
    """The message was not delivered, and never will be."""

    code = "channel_rejected"


class Channel(Protocol):
    """Sends alerts to one place outside the service."""

    @property
    def most(self) -> int:
        """Notifications that one message may hold; 1 if it cannot group."""
        ...

    @property
    def interval(self) -> timedelta:
        """Least time between two messages."""
        ...

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver one message; returning means that the receiver has it.

        Args:
            notifications: 1 to `most`, oldest first.

        Raises:
            Unavailable: not delivered; try again.
            Rejected: not delivered, and never will be.
        """
        ...


@runtime_checkable
class DigestChannel(Protocol):
    """A channel that can also send digests."""

    async def send_digest(self, digest: Digest, *, key: str, public_url: str | None) -> None:
        """Deliver a digest; returning means that the receiver has it.

        Args:
            digest: the digest.
            key: the idempotency key; the same at every attempt.
            public_url: the address of this service for people; None leaves links out.

        Raises:
            Unavailable: not delivered; try again.
            Rejected: not delivered, and never will be.
        """
        ...
