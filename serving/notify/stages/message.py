"""The record that the sending stages hand on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from serving.storage.delivery_record import Delivery
from serving.storage.post_names import PostNames
from serving.storage.source_delay import LateSource
from serving.triage.muting import AlertStatus


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A delivery that is not to be sent after all.

    Attributes:
        delivery: which.
        why: in a few words.
    """

    delivery: Delivery
    why: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of sending a message.

    Attributes:
        at: when it ended.
        error: why it failed; None if the receiver took the message.
    """

    at: datetime
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """What follows an attempt.

    Attributes:
        delivered: what the receiver took.
        dead: what is given up.
        postponed: what is tried again.
        due_at: when it is tried again.
        error: why the attempt failed, as people read it; empty if it did not.
        lane_ready_at: nothing is sent on the channel before; None for no pause.
    """

    delivered: tuple[Delivery, ...] = ()
    dead: tuple[Delivery, ...] = ()
    postponed: tuple[Delivery, ...] = ()
    due_at: datetime | None = None
    error: str = ""
    lane_ready_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Deliveries on their way to a channel. Each stage decides more of them.

    Attributes:
        now: when the lane took them up.
        deliveries: what waits, in order; after `group` and `suppress` what is sent as one message.
        statuses: the status of their alerts, by the id of the delivery.
        withdrawn: the ids of those of their alerts that no longer hold; True for those that the
            channel was notified of.
        late_sources: the platforms whose comments may be missing in an alert, by the alert's id.
        post_names: of the posts that drive their alerts, those that are known.
        suppressed: what is not to be sent after all; set by `suppress`.
        attempt: what became of sending it; None if nothing was sent.
        retry: what follows; None if nothing was sent, or it is to be sent one by one.
    """

    now: datetime
    deliveries: tuple[Delivery, ...]
    statuses: Mapping[int, AlertStatus] = field(default_factory=dict)
    withdrawn: Mapping[str, bool] = field(default_factory=dict)
    late_sources: Mapping[str, tuple[LateSource, ...]] = field(default_factory=dict)
    post_names: PostNames = field(default_factory=dict)
    suppressed: tuple[Suppressed, ...] = ()
    attempt: Attempt | None = None
    retry: Retry | None = None

    @property
    def one_by_one(self) -> bool:
        """Whether one of several deliveries may be at fault, so that each is to be sent alone."""
        return self.attempt is not None and self.retry is None
