"""The steps that isolate a fault: they go on without a KOL, or without what came first."""

from dataclasses import replace
from datetime import datetime

import structlog

from serving.pipeline.faults import KolFailure, TakenUp
from serving.pipeline.live_engine import LiveEngine
from serving.pipeline.rerunner import RerunHost
from serving.storage.comment_log import CommentLog
from serving.storage.fault_record import HeldKol, SetAside, SetAsideKind
from serving.storage.pipeline_step import (
    AppliedPolicy,
    ChangedMinutes,
    PipelineStep,
)
from serving.storage.policy_store import PolicyChange, PolicyStore

_log = structlog.get_logger(__name__)


def holding(
    nothing: PipelineStep, failure: KolFailure, live: LiveEngine, now: datetime
) -> PipelineStep:
    """A step that holds a KOL, and has it judged again from its last minute on.

    Args:
        nothing: a step that does nothing.
        failure: why.
        live: the engine, after the last committed step.
        now: the instant.
    """
    kol_id = failure.kol_id
    minute = live.engine.closed_until(kol_id)
    return replace(
        nothing,
        changed=[ChangedMinutes(kol_id, minute, minute)],
        held=HeldKol(kol_id, now, type(failure.__cause__ or failure).__name__),
    )


def without_policy(
    nothing: PipelineStep, change: PolicyChange, error: Exception, now: datetime
) -> PipelineStep:
    """A step that sets a change of a policy aside which was applied before."""
    return _without(
        nothing, SetAsideKind.POLICY_CHANGE, change.change_id, change.kol_id, error, now
    )


async def passing_over(
    taken_up: TakenUp,
    nothing: PipelineStep,
    error: Exception,
    host: RerunHost,
    log: CommentLog,
    policies: PolicyStore,
) -> PipelineStep | None:
    """A step that goes on after the first comment, or change of one or of a policy.

    Args:
        taken_up: what the step took up that failed.
        nothing: a step that does nothing.
        error: how it failed.
        host: the pipeline, after its last committed step.
        log: the comments, and changes of them.
        policies: the changes of policies.

    Returns:
        The step; None if there is nothing to go on after.
    """
    progress, now = host.progress, host.now()
    if taken_up is TakenUp.CHANGES:
        for edit in await log.changes_after(progress.comment_change, 1):
            step = replace(nothing, comment_change=edit.change_id)
            kind, kol_id = SetAsideKind.COMMENT_CHANGE, edit.comment.kol_id
            return _without(step, kind, edit.change_id, kol_id, error, now)
    if taken_up is TakenUp.COMMENTS:
        for logged in await log.after(progress.seq, 1):
            step = replace(nothing, seq=logged.seq, received=[logged])
            kind, kol_id = SetAsideKind.COMMENT, logged.comment.kol_id
            return _without(step, kind, logged.seq, kol_id, error, now)
    if taken_up is TakenUp.POLICY:
        change = await policies.following(progress.policy_change)
        if change is not None:
            minute = host.live.engine.closed_until(change.kol_id)
            step = replace(nothing, policy=AppliedPolicy(change.change_id, minute))
            return without_policy(step, change, error, now)
    return None


def _without(
    step: PipelineStep,
    kind: SetAsideKind,
    place: int,
    kol_id: str,
    error: Exception,
    now: datetime,
) -> PipelineStep:
    _log.error("set_aside", kind=kind, place=place, kol=kol_id, error=str(error))
    return replace(step, set_aside=SetAside(kind, place, kol_id, now, type(error).__name__))
