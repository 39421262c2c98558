"""Renaming, merging and archiving KOLs."""

import structlog
from fastapi import APIRouter

from serving.access.scope import Scope
from serving.api.authorization import Asking, Audited, Repeats, noted_actor, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_params import ExactKolId, KolId, fit, seen
from serving.api.kol_schemas import KolActorIn, KolOut, MergeIn, RenameIn, kol_out
from serving.api.problems import documented
from serving.service import Running

_log = structlog.get_logger(__name__)
router = APIRouter(tags=["kols"], route_class=GuardedRoute)


@router.post(
    "/kols/{kol_id:path}/rename",
    responses=documented(400, 404, 409, 422, 503),
    dependencies=[requires(Scope.MANAGE, repeats=Repeats("GET the KOL"))],
)
async def rename_kol(
    kol_id: ExactKolId, body: RenameIn, service: Running, principal: Asking, note: Audited
) -> KolOut:
    """Give a KOL another id. It changes everywhere; the former id leads to the new one: comments
    that are sent to it, and requests that name it, are taken as before.
    """
    new_id = fit(body.new_id, field="new_id")
    actor = noted_actor(principal, body.actor, note)
    note.detail["new_id"] = new_id
    async with service.pipeline.paused():
        await service.kol_mover.rename(kol_id, new_id, actor, service.clock.now(), principal.kols)
    service.access.limit_version.add()
    service.metrics.drop(kol_id)
    _log.info("kol_renamed", kol=kol_id, to=new_id, by=actor)
    seen_since = principal.kols.renamed(kol_id, new_id)
    return await kol_out(new_id, service, seen_since)


@router.post(
    "/kols/{kol_id:path}/merge",
    responses=documented(400, 404, 409, 422, 503),
    dependencies=[requires(Scope.MANAGE, repeats=Repeats("GET the KOL"))],
)
async def merge_kol(
    kol_id: ExactKolId, body: MergeIn, service: Running, principal: Asking, note: Audited
) -> KolOut:
    """Merge a KOL into another, which is returned: its comments go there, and so do those that are
    sent to its id from now on. Both are judged again. Alerts, actions and silences of its id stay;
    its open alerts are resolved.
    """
    into = await seen(body.into, service, principal.kols)
    actor = noted_actor(principal, body.actor, note)
    note.detail["into"] = into
    async with service.pipeline.paused():
        moved = await service.kol_mover.merge(kol_id, into, actor, service.clock.now())
    service.metrics.drop(kol_id)
    _log.info("kol_merged", kol=kol_id, into=into, by=actor, comments=moved)
    return await kol_out(into, service, principal.kols)


@router.post(
    "/kols/{kol_id:path}/unmerge",
    responses=documented(400, 404, 409, 422, 503),
    dependencies=[requires(Scope.MANAGE, repeats=Repeats("GET the KOL"))],
)
async def unmerge_kol(
    kol_id: ExactKolId, body: KolActorIn, service: Running, principal: Asking, note: Audited
) -> KolOut:
    """Take a merge back: the comments that were sent to the KOL's id, before the merge or since, go
    back to it. Both KOLs are judged again.
    """
    await service.kols.get(kol_id)
    actor = noted_actor(principal, body.actor, note)
    async with service.pipeline.paused():
        moved = await service.kol_mover.unmerge(kol_id)
    _log.info("kol_unmerged", kol=kol_id, by=actor, comments=moved)
    return await kol_out(kol_id, service, principal.kols)


@router.post(
    "/kols/{kol_id:path}/archive",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.MANAGE, repeats=Repeats("GET the KOL"))],
)
async def archive_kol(
    kol_id: KolId, body: KolActorIn, service: Running, principal: Asking, note: Audited
) -> KolOut:
    """Archive a KOL: it is not listed, its silence is no data gap, and nobody is notified of its
    alerts. Its comments are still taken.
    """
    await service.kols.get(kol_id)
    actor = noted_actor(principal, body.actor, note)
    async with service.pipeline.paused(restore=False, save=False):
        await service.kols.archive(kol_id, service.clock.now())
        await service.pipeline.read_archived()
    _log.info("kol_archived", kol=kol_id, by=actor)
    return await kol_out(kol_id, service, principal.kols)


@router.post(
    "/kols/{kol_id:path}/unarchive",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.MANAGE, repeats=Repeats("GET the KOL"))],
)
async def unarchive_kol(
    kol_id: KolId, body: KolActorIn, service: Running, principal: Asking, note: Audited
) -> KolOut:
    """Take a KOL out of the archive. Channels are notified of its alerts that are still open."""
    await service.kols.get(kol_id)
    actor = noted_actor(principal, body.actor, note)
    async with service.pipeline.paused(restore=False, save=False):
        await service.kols.archive(kol_id, None)
        await service.pipeline.read_archived()
    _log.info("kol_unarchived", kol=kol_id, by=actor)
    service.unmute_notifier.wake()
    return await kol_out(kol_id, service, principal.kols)
