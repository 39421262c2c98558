"""What one step of the pipeline derives from the log, and how far the log has been processed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitoring.alerts import AlertEvent
from monitoring.engine import KolStatus
from monitoring.events import ScoredComment
from monitoring.minute_score import MinuteScore
from serving.storage.comment_log import LoggedComment


@dataclass(frozen=True, slots=True)
class IdleMark:
    """At this place of the log, a KOL's event time was declared to have reached an instant.

    Attributes:
        kol_id: whose event time.
        reached: the instant, aware, UTC.
    """

    kol_id: str
    reached: datetime


@dataclass(frozen=True, slots=True)
class LoggedIdleMark:
    """An idle mark in the log.

    Attributes:
        mark_id: later marks have greater ids.
        after_seq: place of the comment that it follows.
        mark: the idle mark.
    """

    mark_id: int
    after_seq: int
    mark: IdleMark


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine's state of one KOL.

    Attributes:
        kol_id: whose.
        snapshot: what `Engine.restore` takes.
        status: what the API and the metrics show.
        last_created_at: event time of its latest comment.
        last_received_at: when its latest comment was committed.
    """

    kol_id: str
    snapshot: bytes
    status: KolStatus
    last_created_at: datetime
    last_received_at: datetime


@dataclass(frozen=True, slots=True)
class PipelineProgress:
    """How far the log has been processed.

    Attributes:
        seq: place of the last comment that was processed.
        mark: id of the last idle mark that was written or repeated.
        step: how many steps have been committed.
        policy_change: id of the last policy change that was applied.
    """

    seq: int = 0
    mark: int = 0
    step: int = 0
    policy_change: int = 0


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """Everything that one step derived.

    Attributes:
        seq: place of the last comment that it took; that of the step before if it took none.
        model: id of the weights that scored.
        received: the comments of the log that it took.
        scored: places and scored comments.
        repeated_mark: id of the idle mark that it repeated; None if it repeated none.
        new_marks: idle marks that it made.
        policy_change: id of the policy change that it applied; None if it applied none.
        minute_scores: what the detectors computed for the minutes that it closed.
        events: alert events, in order.
        states: every KOL that it touched.
    """

    seq: int
    model: str
    received: Sequence[LoggedComment] = ()
    scored: Sequence[tuple[int, ScoredComment]] = ()
    repeated_mark: int | None = None
    new_marks: Sequence[IdleMark] = ()
    policy_change: int | None = None
    minute_scores: Sequence[MinuteScore] = ()
    events: Sequence[AlertEvent] = ()
    states: Sequence[EngineState] = field(default_factory=tuple)
