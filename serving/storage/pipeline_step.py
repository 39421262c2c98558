"""What one step of the pipeline derives from the log, and how far the log has been processed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitoring.alerts import AlertEvent
from monitoring.checkpoints import Checkpoint
from monitoring.engine import KolStatus
from monitoring.event_time import minute_of
from monitoring.events import Comment, ScoredComment
from monitoring.matching import RevisedAlert
from monitoring.minute_score import MinuteScore
from serving.storage.comment_log import LoggedComment
from serving.storage.fault_record import HeldKol, SetAside


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
class LogPlace:
    """A place in the log.

    Attributes:
        seq: after this comment …
        mark: … and after this idle mark.
    """

    seq: int = 0
    mark: int = 0


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine's state of one KOL after a step.

    Attributes:
        kol_id: whose.
        status: what the API and the metrics show.
        last_created_at: event time of its latest comment.
        last_received_at: when its latest comment was committed.
        snapshot: what `Engine.restore` takes; None leaves the stored one.
        replay_after: from where on the log is to be replayed on the stored snapshot; None with a
            new one.
    """

    kol_id: str
    status: KolStatus
    last_created_at: datetime
    last_received_at: datetime
    snapshot: bytes | None
    replay_after: LogPlace | None = None


@dataclass(frozen=True, slots=True)
class StoredState:
    """The state of one KOL, as it was stored.

    Attributes:
        kol_id: whose.
        status: what the API and the metrics show.
        last_created_at: event time of its latest comment.
        last_received_at: when its latest comment was committed.
        snapshot: what `Engine.restore` takes.
        replay_after: what came after this place …
        replay_up_to: … and up to this one is to be replayed on the snapshot.
    """

    kol_id: str
    status: KolStatus
    last_created_at: datetime
    last_received_at: datetime
    snapshot: bytes
    replay_after: LogPlace
    replay_up_to: LogPlace


@dataclass(frozen=True, slots=True)
class SavedSnapshot:
    """A new snapshot of a KOL that a step did not touch, so nothing is left to be replayed."""

    kol_id: str
    snapshot: bytes


@dataclass(frozen=True, slots=True)
class PipelineProgress:
    """How far the log has been processed.

    Attributes:
        seq: place of the last comment that was processed.
        mark: id of the last idle mark that was written or repeated.
        step: how many steps have been committed.
        policy_change: id of the last policy change that was applied.
        comment_change: id of the last change of a comment that was applied.
    """

    seq: int = 0
    mark: int = 0
    step: int = 0
    policy_change: int = 0
    comment_change: int = 0

    @property
    def place(self) -> LogPlace:
        """How far the comments and the idle marks have been processed."""
        return LogPlace(self.seq, self.mark)


@dataclass(frozen=True, slots=True)
class AppliedPolicy:
    """A policy change that a step applied.

    Attributes:
        change_id: of the change.
        from_minute: the first minute of event time, since 1970 UTC, that is judged by it.
    """

    change_id: int
    from_minute: int


@dataclass(frozen=True, slots=True)
class ChangedMinutes:
    """Closed minutes of a KOL that hold a comment which came late or was edited.

    Attributes:
        kol_id: whose minutes.
        first: the first of them, since 1970 UTC.
        last: the last.
    """

    kol_id: str
    first: int
    last: int


def add_minute(changed: dict[str, ChangedMinutes], comment: Comment) -> None:
    """Note that the closed minute of a comment has changed."""
    minute = minute_of(comment.created_at)
    one = changed.get(comment.kol_id, ChangedMinutes(comment.kol_id, minute, minute))
    changed[comment.kol_id] = replace(one, first=min(one.first, minute), last=max(one.last, minute))


@dataclass(frozen=True, slots=True)
class RerunResult:
    """What a re-run of a KOL came to.

    Attributes:
        kol_id: whose.
        up_to_id: changes of its minutes up to this id are dealt with.
        since: checkpoints after this minute are replaced.
        alerts: those that it derives otherwise than they were stored.
        alert_ids: derived id to the id under which the alert is known, where they differ.
        empty: the KOL has no comments any more.
    """

    kol_id: str
    up_to_id: int
    since: int = -1
    alerts: Sequence[RevisedAlert] = ()
    alert_ids: Mapping[str, str] = field(default_factory=dict)
    empty: bool = False


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
        policy: the policy change that it applied; None if it applied none.
        rescored: places and scores of comments that were edited.
        withdrawn: places of comments that were removed.
        comment_change: id of the last change of a comment that it applied; None if none.
        changed: closed minutes that changed.
        minute_scores: what the detectors computed for the minutes that it closed.
        checkpoints: states before some of them.
        events: alert events, in order.
        rerun: what a re-run came to; None in every other step.
        states: every KOL that it touched.
        saved: snapshots of others.
        held: the KOL that the engine does not see from now on; None if there is none.
        set_aside: what it passed over; None if nothing.
    """

    seq: int
    model: str
    received: Sequence[LoggedComment] = ()
    scored: Sequence[tuple[int, ScoredComment]] = ()
    repeated_mark: int | None = None
    new_marks: Sequence[IdleMark] = ()
    policy: AppliedPolicy | None = None
    rescored: Sequence[tuple[int, ScoredComment]] = ()
    withdrawn: Sequence[int] = ()
    comment_change: int | None = None
    changed: Sequence[ChangedMinutes] = ()
    minute_scores: Sequence[MinuteScore] = ()
    checkpoints: Sequence[Checkpoint] = ()
    events: Sequence[AlertEvent] = ()
    rerun: RerunResult | None = None
    states: Sequence[EngineState] = ()
    saved: Sequence[SavedSnapshot] = ()
    held: HeldKol | None = None
    set_aside: SetAside | None = None
