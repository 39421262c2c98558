"""KOLs, their policies, their mood and their comments."""

from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query

from model.types import Sentiment
from serving.access.scope import Scope
from serving.api.authorization import Asking, Audited, Repeats, noted_actor, requires
from serving.api.comment_schemas import CommentList, CommentOut
from serving.api.entity_tag import Matching
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_params import KolId, NewKolId
from serving.api.kol_schemas import (
    FollowerCountIn,
    FollowerCountOut,
    FollowerList,
    KolIn,
    KolList,
    KolOut,
    MoodOut,
    MoodPointOut,
    kol_out,
)
from serving.api.paging import (
    Cursor,
    Limit,
    decode_cursor,
    decode_instant_cursor,
    encode_cursor,
    encode_instant_cursor,
)
from serving.api.policy_schemas import KolDetailOut, PolicyHistoryOut, PolicyIn, policy_out
from serving.api.problems import documented
from serving.api.spans import Since, Until, span
from serving.errors import InvalidRequest
from serving.ingest.comment import CLOCK_SKEW, OLDEST
from serving.kol_limit import KolLimit
from serving.service import Running, Service
from serving.storage.comment_log import CommentFilter
from serving.storage.follower_store import FollowerCount
from serving.storage.kol_store import KolProfileRecord

router = APIRouter(tags=["kols"], route_class=GuardedRoute)

_MOST_POINTS = 10_000
_DAY = timedelta(days=1)


@router.get("/kols", responses=documented(422, 503), dependencies=[requires(Scope.READ)])
async def list_kols(
    service: Running,
    principal: Asking,
    archived: Annotated[
        bool, Query(description="Only KOLs that are archived, instead of those that are not.")
    ] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> KolList:
    """List KOLs by id, with the status of each stream."""
    after = str(decode_cursor(cursor, str)[0]) if cursor else None
    found = await service.kols.page(
        after=after, limit=limit + 1, archived=archived, visible=principal.kols
    )
    more = len(found) > limit
    delays = await service.delays.of_kols([kol.kol_id for kol in found])
    return KolList(
        items=[KolOut.of(kol, delays[kol.kol_id]) for kol in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].kol_id) if more else None,
    )


@router.get(
    "/kols/{kol_id:path}/followers",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def list_followers(
    kol_id: KolId, service: Running, limit: Limit = 100, cursor: Cursor = None
) -> FollowerList:
    """List how many followers a KOL had over time, newest first."""
    await service.kols.get(kol_id)
    before = decode_instant_cursor(cursor, int)[0] if cursor else None
    found = await service.followers.page(kol_id, before=before, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return FollowerList(
        items=[FollowerCountOut.model_validate(count) for count in found[:limit]],
        next_cursor=encode_instant_cursor(last.at, last.followers) if last else None,
    )


@router.post(
    "/kols/{kol_id:path}/followers",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.INGEST, repeats=Repeats("GET the numbers of followers"))],
)
async def add_followers(
    kol_id: KolId, count: FollowerCountIn, service: Running, principal: Asking
) -> KolOut:
    """Add a number of followers. The newest one is shown in the profile; one of the same instant is
    replaced.
    """
    await service.kols.get(kol_id)
    now = service.clock.now()
    at = count.at or now
    if not OLDEST <= at <= now + CLOCK_SKEW:
        raise InvalidRequest(
            "invalid_parameter",
            f"at must be between {OLDEST:%Y-%m-%d} and now; check the sender's clock and zone",
            field="at",
        )
    await service.followers.add(kol_id, [FollowerCount(at, count.followers)])
    return await kol_out(kol_id, service, principal.kols)


@router.get(
    "/kols/{kol_id:path}/policy",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def get_policy(kol_id: KolId, service: Running) -> PolicyHistoryOut:
    """Get the detection policy of a KOL, its overrides, and who set them when."""
    await service.kols.get(kol_id)
    return await _policy(kol_id, service)


@router.put(
    "/kols/{kol_id:path}/policy",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def put_policy(
    kol_id: KolId,
    change: PolicyIn,
    service: Running,
    principal: Asking,
    note: Audited,
    if_match: Matching,
) -> PolicyHistoryOut:
    """Change the detection policy of a KOL. Omitted fields keep their value; null removes an
    override. The change applies to comments that are received after it, also when
    alerts are rebuilt.
    """
    actor = noted_actor(principal, change.actor, note)
    note.detail |= {name: str(value) for name, value in change.overrides.items()}
    async with if_match.editing(f"policy of {kol_id!r}", partial(_policy, kol_id, service)):
        await service.policies.record(kol_id, change.overrides, actor, service.clock.now())
        service.pipeline.wake()
        return await _policy(kol_id, service)


@router.get(
    "/kols/{kol_id:path}/mood",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def get_mood(
    kol_id: KolId,
    service: Running,
    since: Since = None,
    until: Until = None,
    step: Annotated[
        int, Query(ge=60, le=7 * 86_400, multiple_of=60, description="Seconds per point.")
    ] = 3600,
) -> MoodOut:
    """Get the mood of a KOL over time; default: the last 24 hours."""
    await service.kols.get(kol_id)
    since, until = span(since, until, service.clock.now(), default=_DAY)
    if (until - since) / timedelta(seconds=step) > _MOST_POINTS:
        raise InvalidRequest(
            "invalid_range",
            f"more than {_MOST_POINTS} points; use a longer step or a shorter range",
            field="step",
        )
    series = await service.moods.series(kol_id, since, until, timedelta(seconds=step))
    return MoodOut(
        kol_id=kol_id,
        since=since,
        until=until,
        step=step,
        points=[
            MoodPointOut(
                start=point.start,
                comments=point.comments,
                negative_share=point.negative / point.comments,
                positive_share=point.positive / point.comments,
                mood=(point.positive - point.negative) / point.comments,
            )
            for point in series
        ],
    )


@router.get(
    "/kols/{kol_id:path}/comments",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def list_comments(
    kol_id: KolId,
    service: Running,
    since: Since = None,
    until: Until = None,
    sentiment: Annotated[
        Sentiment | None, Query(description="Only comments whose most likely sentiment is this.")
    ] = None,
    post_id: str | None = None,
    author_id: str | None = None,
    removed: Annotated[
        bool, Query(description="Only comments that were deleted, instead of those that were not.")
    ] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> CommentList:
    """List the comments of a KOL, newest first."""
    await service.kols.get(kol_id)
    before = decode_instant_cursor(cursor, int) if cursor else None
    wanted = CommentFilter(
        kol_id=kol_id,
        since=since,
        until=until,
        sentiment=sentiment.value if sentiment else None,
        post_id=post_id,
        author_ids=(
            None if author_id is None else service.group_commit.author_ids.forms(author_id)
        ),
        removed=removed,
    )
    found = await service.log.page(wanted, before=before, limit=limit + 1)
    last = found[limit - 1].logged if len(found) > limit else None
    return CommentList(
        items=[CommentOut.of(listed) for listed in found[:limit]],
        next_cursor=encode_instant_cursor(last.comment.created_at, last.seq) if last else None,
    )


# After the others: an id from before ids had to fit URLs may hold a slash.
@router.get(
    "/kols/{kol_id:path}", responses=documented(404, 422, 503), dependencies=[requires(Scope.READ)]
)
async def get_kol(kol_id: KolId, service: Running, principal: Asking) -> KolDetailOut:
    """Get a KOL and its detection policy."""
    kol = await service.kols.get(kol_id, principal.kols)
    policy = await _policy(kol_id, service)
    delays = await service.delays.of_kols([kol_id])
    return KolDetailOut.of(kol, delays[kol_id], policy=policy.model_dump())


@router.put(
    "/kols/{kol_id:path}",
    responses=documented(400, 404, 409, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def put_kol(
    kol_id: NewKolId, profile: KolIn, service: Running, principal: Asking, if_match: Matching
) -> KolOut:
    """Register a KOL or replace its profile. A KOL without a profile is registered automatically
    with its first comment.

    An id holds letters and digits of any script and `-._~`, 128 characters at most. The answer is
    409 if another KOL has one of the handles.
    """
    new = KolProfileRecord(**profile.model_dump())
    current = partial(kol_out, kol_id, service, principal.kols)
    async with if_match.editing(f"KOL {kol_id!r}", current):
        await _put(kol_id, new, service, principal.kols)
        return await current()


async def _put(kol_id: str, profile: KolProfileRecord, service: Service, visible: KolLimit) -> None:
    writer = service.group_commit
    if kol_id not in writer.deleted_kols:
        await service.kols.put(kol_id, profile, service.clock.now(), visible)
        return
    async with service.pipeline.paused(restore=False, save=False):
        await service.kols.put(kol_id, profile, service.clock.now(), visible)
        writer.deleted_kols = await service.kols.deleted()
        await service.pipeline.read_archived()  # its silence may be a data gap from now on


async def _policy(kol_id: str, service: Running) -> PolicyHistoryOut:
    return policy_out(service.policy, await service.policies.of_kol(kol_id))
