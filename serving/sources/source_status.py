"""How a source is doing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SourceState(StrEnum):
    """Whether a source brings comments."""

    STARTING = "starting"
    RUNNING = "running"
    FAILING = "failing"
    BLIND = "blind"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source is doing; None for what is not known.

    Attributes:
        name: what people call it.
        platform: of its comments.
        state: `failing` while an attempt failed that may pass, `blind` once it is reported.
        success_at: when its platform last answered well or called, aware.
        success_age: seconds since then.
        comment_at: when it last brought a new comment, aware.
        kind: what is wrong: a `FaultKind`; None if nothing is.
        error: what is wrong, in words.
        remedy: what to do.
        blind_since: the last instant of which everything is known, aware; None if it sees.
        backlog: comments that are known to wait on the platform.
        arrival: seconds from the writing of comments to their commit, in the last batch.
        quota_left: units that are left of its budget.
        skew: seconds that the platform's clock is ahead.
        next_at: when it asks next, aware.
        rejected_why: why the last comment that it brought could not be taken.
    """

    name: str
    platform: str
    state: SourceState
    success_at: datetime | None = None
    success_age: float | None = None
    comment_at: datetime | None = None
    kind: str | None = None
    error: str | None = None
    remedy: str | None = None
    blind_since: datetime | None = None
    backlog: int | None = None
    arrival: float | None = None
    quota_left: int | None = None
    skew: float | None = None
    next_at: datetime | None = None
    rejected_why: str | None = None
