"""Silences: mute notifications of matching alerts for some time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from monitoring.kinds import Severity
from serving.access.scope import Scope
from serving.api.alert_schemas import Actor, Remark
from serving.api.authorization import Asking, Audited, Repeats, noted_actor, requires
from serving.api.aware_time import AwareTime
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_params import usable
from serving.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from serving.api.problems import documented
from serving.errors import Forbidden
from serving.notify.config.route_specs import Kind
from serving.service import Running
from serving.triage.silences import Matchers, Silence, SilenceState, check_span

router = APIRouter(tags=["silences"], route_class=GuardedRoute)
SilenceId = Annotated[int, Path(ge=1, lt=2**63)]
_KolNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=128)]], Field(min_length=1)
]
_PostNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=256)]], Field(min_length=1)
]


class MatchersBody(BaseModel):
    """Matchers of alerts. An alert must match all of them."""

    kols: _KolNames | None = Field(None, max_length=1000, description="Ids of KOLs; null for all.")
    kinds: list[Kind] | None = Field(None, min_length=1, max_length=50)
    posts: _PostNames | None = Field(
        None,
        max_length=1000,
        description="Ids of posts, one of which must be the alert's top post; null for any.",
    )
    max_severity: Severity | None = Field(
        None, description="Alerts of at most this severity; null for all."
    )


class SilenceIn(MatchersBody):
    """A silence to create."""

    model_config = ConfigDict(extra="forbid")

    starts_at: AwareTime | None = Field(
        None, description="Start; default: now. A time in the past becomes now."
    )
    ends_at: AwareTime = Field(description="End, at most 366 days ahead.")
    reason: Remark
    actor: Actor = None

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not any((self.kols, self.kinds, self.posts, self.max_severity)):
            raise PydanticCustomError(
                "no_matcher",
                "give at least one of kols, kinds, posts and max_severity; "
                "max_severity 'critical' matches every alert",
            )
        return self


class ExpiryIn(BaseModel):
    """The person who ends a silence."""

    model_config = ConfigDict(extra="forbid")

    actor: Actor = None


class SilenceOut(MatchersBody):
    """A silence."""

    silence_id: int
    state: SilenceState
    starts_at: datetime
    ends_at: datetime
    reason: str = Field(description="Empty if the silence also names KOLs that you do not see.")
    created_by: str
    created_at: datetime
    expired_by: str | None = Field(description="The person who ended it early; null if nobody did.")
    expired_at: datetime | None


class SilenceList(BaseModel):
    """A page of silences, newest first."""

    items: list[SilenceOut]
    next_cursor: str | None


@router.get("/silences", responses=documented(422, 503), dependencies=[requires(Scope.READ)])
async def list_silences(
    service: Running,
    principal: Asking,
    state: SilenceState | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> SilenceList:
    """List silences, newest first. A principal that is limited to some KOLs sees those that name
    one of them.
    """
    now = service.clock.now()
    before = int(decode_cursor(cursor, int)[0]) if cursor else None
    found = await service.silences.page(
        state, now, before=before, limit=limit + 1, visible=principal.kols
    )
    more = len(found) > limit
    return SilenceList(
        items=[_out(silence, now) for silence in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].silence_id) if more else None,
    )


@router.post(
    "/silences",
    status_code=201,
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.ACT, repeats=Repeats("GET /v1/silences lists the silences"))],
)
async def add_silence(
    body: SilenceIn, service: Running, principal: Asking, note: Audited
) -> SilenceOut:
    """Create a silence: notifications of the matching alerts are not sent while it is active.

    They are listed in the deliveries as skipped. When the silence ends, the channels are notified
    of the alerts that are still open.
    """
    now = service.clock.now()
    starts_at = max(body.starts_at or now, now)
    check_span(starts_at, body.ends_at, now)
    if body.kols is None and not principal.kols.is_everything:
        raise Forbidden(
            f"a silence without `kols` is of every KOL, and {principal.name!r} is limited to some; "
            "name the KOLs"
        )
    kols = body.kols and [
        await usable(name, service, principal.kols, field="kols") for name in body.kols
    ]
    silence = Silence(
        silence_id=0,
        matchers=Matchers(
            kols=_set(kols),
            kinds=_set(body.kinds),
            posts=_set(body.posts),
            max_severity=body.max_severity,
        ),
        starts_at=starts_at,
        ends_at=body.ends_at,
        reason=body.reason,
        created_by=noted_actor(principal, body.actor, note),
        created_at=now,
    )
    note.kols.update(kols or ())
    added = await service.silences.add(silence)
    note.detail["silence_id"] = str(added.silence_id)
    return _out(added, now)


@router.get(
    "/silences/{silence_id}",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def get_silence(silence_id: SilenceId, service: Running, principal: Asking) -> SilenceOut:
    """Get a silence."""
    return _out(await service.silences.get(silence_id, principal.kols), service.clock.now())


@router.post(
    "/silences/{silence_id}/expire",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.ACT, repeats=Repeats("GET the silence"))],
)
async def expire_silence(
    silence_id: SilenceId, body: ExpiryIn, service: Running, principal: Asking, note: Audited
) -> SilenceOut:
    """End a silence now. A silence that is over is not changed; silences are never deleted."""
    now = service.clock.now()
    actor = noted_actor(principal, body.actor, note)
    await service.silences.get(silence_id, principal.kols)
    if not principal.kols.allows_all((await service.silences.get(silence_id)).matchers.kols or ()):
        raise Forbidden(
            f"the silence is also of KOLs that {principal.name!r} does not see; use a key that "
            "sees all of them"
        )
    silence = await service.silences.expire(silence_id, actor, now)
    note.kols.update(silence.matchers.kols or ())
    service.unmute_notifier.wake()
    return _out(silence, now)


def _set(names: Sequence[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _out(silence: Silence, now: datetime) -> SilenceOut:
    matchers = silence.matchers
    return SilenceOut.model_validate(
        {
            "kols": matchers.kols and sorted(matchers.kols),
            "kinds": matchers.kinds and sorted(matchers.kinds),
            "posts": matchers.posts and sorted(matchers.posts),
            "max_severity": matchers.max_severity,
            "silence_id": silence.silence_id,
            "state": silence.state(now),
            "starts_at": silence.starts_at,
            "ends_at": silence.ends_at,
            "reason": silence.reason,
            "created_by": silence.created_by,
            "created_at": silence.created_at,
            "expired_by": silence.expired_by,
            "expired_at": silence.expired_at,
        }
    )
