"""Deleting comments, authors and KOLs on purpose, and the export of what is stored of an author."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from serving.access.scope import Scope
from serving.api.authorization import Asking, Audited, requires
from serving.api.entity_tag import Matching
from serving.api.erasure_schemas import ErasureOut, ExportedComment, ExportedSample
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_params import ExactKolId
from serving.api.kol_schemas import kol_out
from serving.api.problems import documented
from serving.errors import NotFound
from serving.service import Running, Service
from serving.storage.author_store import AuthorIdSet
from serving.storage.erasure_record import ErasureKind

router = APIRouter(tags=["erasures"], route_class=GuardedRoute)

AuthorId = Annotated[
    str, Path(min_length=1, max_length=256, description="The id, as the platform has it.")
]
PlatformFilter = Annotated[
    str | None, Query(max_length=64, description="Only comments of this platform.")
]
_NDJSON = "application/x-ndjson"


@router.delete(
    "/comments/{platform}/{comment_id:path}",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def delete_comment(
    platform: Annotated[str, Path(max_length=64)],
    comment_id: Annotated[str, Path(max_length=256)],
    service: Running,
    asking: Asking,
) -> ErasureOut:
    """Delete the text and the author of a comment, in the stream of each KOL that it was sent for
    and that you see, and its copies in alerts. Sums and alerts stay. It is not taken again.
    """
    if not await service.log.history(platform, comment_id, asking.kols):
        raise NotFound(f"there is no comment {comment_id!r} of {platform}")
    erasure = await service.erasures.begin(
        ErasureKind.COMMENT,
        [comment_id],
        asking.name,
        service.clock.now(),
        platform=platform,
        kols=asking.kols,
    )
    return ErasureOut.model_validate(await service.eraser.carry_out(erasure))


@router.get(
    "/authors/{author_id:path}/export",
    response_class=StreamingResponse,
    dependencies=[requires(Scope.ADMIN, every_kol=True)],
    responses=documented(422, 503)
    | {
        200: {
            "description": "A line for each comment and for each copy of one in an alert.",
            "content": {_NDJSON: {"schema": {"type": "string"}}},
        }
    },
)
async def export_author(
    author_id: AuthorId, service: Running, platform: PlatformFilter = None
) -> StreamingResponse:
    """Export everything that is stored about an author, as lines of JSON: comments with their
    scores and former texts (`type` is `comment`), and copies of comments in the evidence of alerts
    (`sample`). The answer is empty if there is nothing.
    """
    author = AuthorIdSet(service.group_commit.author_ids.forms(author_id), platform)
    return StreamingResponse(_lines(service, author), media_type=_NDJSON)


async def _lines(service: Service, author: AuthorIdSet) -> AsyncIterator[str]:
    async for history in service.authors.comments(author):
        yield ExportedComment.from_history(history).model_dump_json() + "\n"
    async for sample in service.authors.samples(author):
        yield ExportedSample.model_validate(sample).model_dump_json() + "\n"


@router.delete(
    "/authors/{author_id:path}",
    responses=documented(422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True)],
)
async def delete_author(
    author_id: AuthorId,
    service: Running,
    asking: Asking,
    note: Audited,
    platform: PlatformFilter = None,
) -> ErasureOut:
    """Delete the texts and the id of an author from all comments and alerts. What is counted stays:
    a pseudonym that nobody can make again stands for the author. Comments that the author writes
    later are taken like any other.
    """
    forms = service.group_commit.author_ids.forms(author_id)
    erasure = await service.erasures.begin(
        ErasureKind.AUTHOR, forms, asking.name, service.clock.now(), platform=platform
    )
    note.detail["erasure"] = str(erasure.erasure_id)
    return ErasureOut.model_validate(await service.eraser.carry_out(erasure))


@router.delete(
    "/kols/{kol_id:path}",
    responses=documented(404, 409, 422, 503),
    dependencies=[requires(Scope.MANAGE)],
)
async def delete_kol(
    kol_id: ExactKolId, service: Running, asking: Asking, if_match: Matching
) -> ErasureOut:
    """Delete the profile of a KOL, its own posts, and the texts and authors of its comments. Its
    moods and alerts stay under its id. Comments for it are rejected until it is registered again.
    """
    await service.kols.get(kol_id)
    async with if_match.editing(f"KOL {kol_id!r}", partial(kol_out, kol_id, service, asking.kols)):
        return await _delete_kol(kol_id, service, asking.name)


async def _delete_kol(kol_id: str, service: Service, actor: str) -> ErasureOut:
    writer = service.group_commit
    async with service.pipeline.paused(restore=False, save=False):
        others = await service.kols.other_ids(kol_id)
        before, writer.deleted_kols = writer.deleted_kols, writer.deleted_kols | {kol_id, *others}
        try:
            await writer.settle()  # what was taken before is erased too
            erasure = await service.erasures.delete_kol(kol_id, actor, service.clock.now())
        except BaseException:
            writer.deleted_kols = before
            raise
        await service.pipeline.read_archived()  # its silence is no data gap from now on
    service.metrics.drop(kol_id)
    return ErasureOut.model_validate(await service.eraser.carry_out(erasure))
