"""Sources: what brings comments by itself; the types there are; when one saw nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from serving.access.principal import Principal
from serving.access.scope import Scope
from serving.api.authorization import Asking, Audited, noted_actor, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_params import usable
from serving.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from serving.api.problems import documented
from serving.api.source_schemas import (
    OutageList,
    OutageOut,
    SourceChange,
    SourceIn,
    SourceList,
    SourceOut,
    SourcePreviewOut,
    SourceTypeList,
    SourceTypeOut,
)
from serving.errors import InvalidRequest
from serving.service import Running, Service
from serving.sources.faults import SourceFault
from serving.sources.registry import source_types
from serving.storage.source_record import SourceRecord

router = APIRouter(tags=["sources"], route_class=GuardedRoute)
SourceId = Annotated[str, Path(min_length=1, max_length=16, pattern=r"^[0-9a-f]+$")]


@router.get("/source-types", responses=documented(503), dependencies=[requires(Scope.READ)])
async def list_source_types() -> SourceTypeList:
    """List the types of source, each with the settings that it asks for."""
    return SourceTypeList(items=[SourceTypeOut.of(one) for one in source_types().values()])


@router.get("/sources", responses=documented(503), dependencies=[requires(Scope.READ)])
async def list_sources(service: Running, principal: Asking) -> SourceList:
    """List the sources and how they are doing. A limited principal sees those of its KOLs."""
    found = await service.sources.store.all(principal.kols)
    return SourceList(items=[_out(source, service, principal) for source in found])


@router.post(
    "/sources",
    status_code=201,
    responses=documented(400, 404, 409, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def create_source(
    body: SourceIn, service: Running, principal: Asking, note: Audited
) -> SourceOut:
    """Add a source. It starts at once, with the history that its platform gives."""
    note.detail.update(name=body.name, type=body.type)
    kol_id = await _kol_of(body.kol_id, service, principal)
    note.kols.update({kol_id} - {None})  # type: ignore[arg-type]
    with _explained():
        source = await service.sources.add(
            body.draft(kol_id, limited=not principal.kols.is_everything),
            noted_actor(principal, None, note),
        )
    note.detail["source_id"] = source.source_id
    return _out(source, service, principal)


@router.post(
    "/sources/preview",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def preview_source(
    body: SourceIn, service: Running, principal: Asking, note: Audited
) -> SourcePreviewOut:
    """Ask the platform whether a source would work, what it would see, and what it would cost.
    Nothing is stored.
    """
    note.detail.update(name=body.name, type=body.type)
    kol_id = await _kol_of(body.kol_id, service, principal)
    with _explained():
        return SourcePreviewOut.of(
            await service.sources.preview(
                body.draft(kol_id, limited=not principal.kols.is_everything)
            )
        )


@router.get(
    "/sources/{source_id}",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def get_source(source_id: SourceId, service: Running, principal: Asking) -> SourceOut:
    """Get a source and how it is doing."""
    return _out(await service.sources.store.get(source_id, principal.kols), service, principal)


@router.patch(
    "/sources/{source_id}",
    responses=documented(400, 404, 409, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def change_source(
    source_id: SourceId, body: SourceChange, service: Running, principal: Asking, note: Audited
) -> SourceOut:
    """Change a source. It goes on from where it was, unless it reads something else from now on."""
    before = await service.sources.store.get(source_id, principal.kols)
    given = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in given.items() if value is not None}
    note.detail.update(source_id=source_id, name=before.name, changed=" ".join(sorted(changes)))
    note.kols.update({before.kol_id} - {None})  # type: ignore[arg-type]
    if "kol_id" in changes:
        changes["kol_id"] = await _kol_of(body.kol_id, service, principal)
        note.kols.add(changes["kol_id"])
    with _explained():
        source = await service.sources.change(source_id, changes, principal.kols)
    return _out(source, service, principal)


@router.delete(
    "/sources/{source_id}",
    status_code=204,
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def delete_source(
    source_id: SourceId, service: Running, principal: Asking, note: Audited
) -> Response:
    """Remove a source. What it brought stays."""
    await _noted(source_id, service, principal, note)
    await service.sources.remove(source_id, principal.kols)
    return Response(status_code=204)


@router.post(
    "/sources/{source_id}/pause",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def pause_source(
    source_id: SourceId, service: Running, principal: Asking, note: Audited
) -> SourceOut:
    """Stop a source until it is resumed. Calls of its platform are answered with 404."""
    await _noted(source_id, service, principal, note)
    actor = noted_actor(principal, None, note)
    source = await service.sources.pause(source_id, actor, principal.kols)
    return _out(source, service, principal)


@router.post(
    "/sources/{source_id}/resume",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def resume_source(
    source_id: SourceId, service: Running, principal: Asking, note: Audited
) -> SourceOut:
    """Start a source again, from where it was."""
    await _noted(source_id, service, principal, note)
    return _out(await service.sources.resume(source_id, principal.kols), service, principal)


@router.post(
    "/sources/{source_id}/test",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def test_source(
    source_id: SourceId, service: Running, principal: Asking, note: Audited
) -> SourcePreviewOut:
    """Ask the platform whether a source works, and show what it brings. One that waits after a
    failure asks at once if it does.
    """
    await _noted(source_id, service, principal, note)
    with _explained():
        return SourcePreviewOut.of(await service.sources.test(source_id, principal.kols))


@router.get("/outages", responses=documented(422, 503), dependencies=[requires(Scope.READ)])
async def list_outages(
    service: Running,
    principal: Asking,
    open_only: Annotated[
        bool, Query(alias="open", description="Only those that have not ended.")
    ] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> OutageList:
    """List the times in which sources saw nothing, last noticed first."""
    before = int(decode_cursor(cursor, int)[0]) if cursor else None
    found = await service.sources.outages.page(
        before=before, limit=limit + 1, open_only=open_only, visible=principal.kols
    )
    more = len(found) > limit
    return OutageList(
        items=[OutageOut.of(outage) for outage in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].outage_id) if more else None,
    )


def _out(source: SourceRecord, service: Service, principal: Principal) -> SourceOut:
    sources = service.sources
    source_type = source_types().get(source.type)
    is_called = source_type is not None and "webhook" in source_type.shapes
    url = None
    if is_called and principal.may(Scope.MANAGE):
        url = sources.builder.webhook_url(source.webhook_token)
    return SourceOut.of(source, sources.supervisor.status_of(source), url)


async def _kol_of(kol_id: str | None, service: Service, principal: Principal) -> str | None:
    """The KOL that a principal names for a source."""
    if kol_id is not None:
        return await usable(kol_id, service, principal.kols)
    if principal.kols.is_everything:
        return None
    raise InvalidRequest(
        "invalid_parameter",
        "kol_id: this key is limited to some KOLs, so the source must be of one of them",
        field="kol_id",
    )


async def _noted(source_id: str, service: Service, principal: Principal, note: Audited) -> None:
    """Say in the audit log which source it is."""
    source = await service.sources.store.get(source_id, principal.kols)
    note.detail.update(source_id=source_id, name=source.name)
    if source.kol_id is not None:
        note.kols.add(source.kol_id)


@contextmanager
def _explained() -> Iterator[None]:
    """Answer with what is wrong and what to do, if a platform does not let a source work."""
    try:
        yield
    except SourceFault as fault:
        raise InvalidRequest("source_fault", f"{fault}; {fault.remedy}") from None
