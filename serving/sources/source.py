"""The seam: what brings comments in by itself, in three shapes.

A type of source is a class of one or more of the shapes. It asks its platform and returns
batches. It stores nothing, waits for nothing and repeats nothing: the runner commits each batch
with its cursor in one transaction, paces the requests, and asks again after failures.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from serving.sources.source_batch import SourceBatch, SourceComment

# Where a source is: a JSON object that only its type understands. Small: it is written with
# every batch.
SourceCursor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourcePreview:
    """What a source will bring, for the person who sets it up.

    Attributes:
        account: what it reads, as people call it: "@lena-park (YouTube channel Lena Park)".
        sees: what it will see, one plain sentence each.
        cannot_see: what it cannot see, one plain sentence each. Never empty without a reason.
        costs: quota and price: "about 1,440 of 10,000 units of quota a day; no charge".
        comments: the newest comments, at most ten.
    """

    account: str
    sees: tuple[str, ...]
    cannot_see: tuple[str, ...]
    costs: tuple[str, ...]
    comments: tuple[SourceComment, ...] = ()


class Source(ABC):
    """What all shapes have in common."""

    @abstractmethod
    async def preview(self) -> SourcePreview:
        """Ask the platform whether the settings work, and show what it will bring.

        Stores nothing. It is also what "test" does.

        Raises:
            SourceFault: it does not work; the fault says why and what to do.
        """

    async def close(self) -> None:  # noqa: B027 - most sources hold nothing
        """Close connections that the source opened by itself."""


class Poller(Source):
    """Asks now and then.

    The interval adapts: it halves while comments come and grows while none do, between
    `least_interval` and `most_interval`.
    """

    least_interval = timedelta(seconds=20)
    most_interval = timedelta(minutes=5)

    @abstractmethod
    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """Ask for what is new: one page, one post, one request or a few.

        Args:
            cursor: of the last batch that was committed; None at the first time: then the
                history begins, as far as the platform gives it.

        Returns:
            A batch with its new cursor. `more=True` asks again at once. A batch may repeat what
            was committed before: comments are known by their ids. An expired cursor is
            replaced by one from which nothing is lost.

        Raises:
            SourceFault: the platform refused or answered badly; the cursor stays as it was.
        """


class StreamReader(Source):
    """Keeps a connection open.

    Attributes:
        silence: how long nothing may come before the connection counts as dead. A stream of a
            quiet platform yields empty batches for the platform's heartbeats.
    """

    silence = timedelta(seconds=60)

    @abstractmethod
    def read(self, cursor: SourceCursor | None) -> AsyncGenerator[SourceBatch, None]:
        """Connect, go back to the cursor or a little before, and read on.

        Args:
            cursor: of the last batch that was committed; None at the first time.

        Yields:
            Batches in the order of the stream. Each is committed before the next is taken.
            What comes fast is better put together: up to 500 comments or 0.2 s a batch.

        Raises:
            SourceFault: the connection broke or was refused. The runner connects again with
                the last cursor, after a pause. Returning counts as a broken connection.
        """


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What arrived at a source's public address; nobody has verified it yet.

    Attributes:
        method: "GET" or "POST".
        query: the parameters of the address, the last of each name.
        headers: by lower-case name.
        body: as it was sent, at most 1 MiB.
    """

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What a request means, and what is answered after its batch is committed.

    Attributes:
        batch: what it brings; its cursor is None.
        delivery_key: what the platform or the signature knows this delivery by; a delivery whose
            key was committed before is answered in the same way and changes nothing.
        status: of the answer.
        body: of the answer; for handshakes.
        content_type: of the body.
        poll_now: whether the source's poller should ask at once, because the request says that
            something happened but not what.
    """

    batch: SourceBatch = field(default_factory=SourceBatch)
    delivery_key: str | None = None
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    poll_now: bool = False


class WebhookReceiver(Source):
    """Is called by the platform, at an address that only the platform knows.

    Attributes:
        check_interval: how often `check_subscription` is asked.
    """

    check_interval = timedelta(seconds=60)

    @abstractmethod
    def receive(self, request: WebhookRequest) -> WebhookAnswer:
        """Verify a request and read it. It must be quick and may not ask the platform.

        Raises:
            UnverifiedRequest: the signature is missing, wrong or too old. The sender gets 404,
                as for an address that does not exist.
            BadAnswer: it is verified, but not what the platform's documentation says. The sender
                gets 400, and the fault is shown.
        """

    async def check_subscription(self) -> "SubscriptionCheck":
        """Ask the platform whether it will still call; subscribe again if it will not.

        Platforms that cannot be asked: leave this as it is.

        Raises:
            SourceFault: it will not call: `SubscriptionLost`, or why it cannot be asked.
        """
        return SubscriptionCheck()


@dataclass(frozen=True, slots=True)
class SubscriptionCheck:
    """What a platform says of its subscription.

    Attributes:
        expected_within: how long it may be silent although all is well; None for ever. A
            source that is silent for longer is reported as blind.
    """

    expected_within: timedelta | None = None
