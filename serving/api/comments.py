"""POST /v1/comments: accepts comments."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from serving.access.bounds import JSON, MAX_LINE_BYTES
from serving.access.json_scan import JsonBounds, JsonScan
from serving.access.scope import Scope
from serving.api.authorization import Asking, requires
from serving.api.bodies import parse_json, read_json, read_lines
from serving.api.comment_schemas import (
    CommentHistoryList,
    CommentHistoryOut,
    FaultOut,
    ReceiptOut,
    SubmissionOut,
)
from serving.api.guarded_route import GuardedRoute
from serving.api.problems import documented, problem
from serving.errors import InvalidComment, InvalidRequest, NotFound
from serving.ingest.comment import CommentIn, storable
from serving.ingest.intake import Intake, Receipt, identifier
from serving.service import Running
from serving.slices import Slices
from serving.storage.comment_update import CommentOutcome

router = APIRouter(tags=["comments"], route_class=GuardedRoute)

_LINES_AT_ONCE = 500
_BYTES_AT_ONCE = 1024 * 1024  # of lines; the values that they hold take several times as much
_PIECE = 16 * 1024
_REJECTED_SHOWN = 1000
_LINE = JsonBounds(item_bytes=MAX_LINE_BYTES)
_COMMENT = CommentIn.model_json_schema()
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"anyOf": [_COMMENT, {"type": "array", "items": _COMMENT, "minItems": 1}]}
        },
        "application/x-ndjson": {"schema": {"type": "string"}},
    },
}


@router.post(
    "/comments",
    status_code=202,
    response_model=SubmissionOut,
    responses=documented(400, 422, 429, 503),
    openapi_extra={"requestBody": _BODY},
    dependencies=[requires(Scope.INGEST, audited=False)],
)
async def post_comments(request: Request, service: Running, principal: Asking) -> JSONResponse:
    """Submit comments: one or a list as JSON, or a stream of lines as NDJSON.

    The answer is sent after the commit. Valid items are stored; every rejected item is listed with
    its error. The status is 422 if all items are rejected. You can send a comment again: it is
    updated if its text, its likes or a field that was missing are new, else it counts as a
    duplicate.
    """
    intake = Intake(
        service.group_commit, service.kols, service.clock, service.metrics, principal.kols
    )
    media_type = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media_type != JSON:
        return await _take_lines(request, intake)
    body = await read_json(request)
    items = [item async for item in body.items()]
    if not items:
        raise InvalidRequest("invalid_parameter", "the list is empty; send at least one comment")
    receipts = await intake.take(dict(enumerate(items)))
    return _answer(_Outcomes(receipts), receipts, intake)


@router.get(
    "/comments/{platform}/{comment_id:path}",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def get_comment(
    platform: Annotated[str, Path(max_length=64)],
    comment_id: Annotated[str, Path(max_length=256)],
    service: Running,
    principal: Asking,
) -> CommentHistoryList:
    """Get a comment with the texts it had before it was edited: once for each KOL that it was sent
    for.
    """
    found = await service.log.history(platform, comment_id, principal.kols)
    if not found:
        raise NotFound(f"there is no comment {comment_id!r} of {platform}")
    return CommentHistoryList(items=[CommentHistoryOut.from_history(one) for one in found])


class _Outcomes:
    """The number of items per outcome."""

    def __init__(self, receipts: Sequence[Receipt] = ()) -> None:
        self.counts = dict.fromkeys(CommentOutcome, 0)
        self.add(receipts)

    def add(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            self.counts[receipt.status] += 1


async def _take_lines(request: Request, intake: Intake) -> JSONResponse:
    """Commit lines as they arrive. A busy log slows the sender down instead of refusing."""
    outcomes, shown = _Outcomes(), list[Receipt]()
    pending: dict[int, object] = {}

    async def commit() -> None:
        receipts = await intake.take(pending, wait=True)
        outcomes.add(receipts)
        rejected = [receipt for receipt in receipts if receipt.fault is not None]
        shown.extend(rejected[: _REJECTED_SHOWN - len(shown)])

    number = size = 0
    async for line in read_lines(request):
        if line is None or line.strip():
            pending[number] = await _parse_line(line)
            size += len(line or b"")
        number += 1
        if len(pending) == _LINES_AT_ONCE or size >= _BYTES_AT_ONCE:
            await commit()
            pending.clear()
            size = 0
    await commit()
    if not sum(outcomes.counts.values()):
        raise InvalidRequest("invalid_parameter", "the body is empty; send at least one line")
    return _answer(outcomes, shown, intake)


async def _parse_line(line: bytes | None) -> object:
    if line is None:
        return InvalidComment(
            "line_too_long", None, f"the line is longer than {MAX_LINE_BYTES} bytes"
        )
    try:
        if len(line) > _LINE.values:  # a shorter one cannot hold more
            scan, slices = JsonScan(_LINE), Slices()
            for start in range(0, len(line), _PIECE):
                scan.feed(line[start : start + _PIECE])
                await slices.pause()
        return parse_json(line)
    except InvalidRequest as error:
        return InvalidComment(error.code, None, str(error))


def _answer(outcomes: _Outcomes, receipts: Sequence[Receipt], intake: Intake) -> JSONResponse:
    counts = outcomes.counts
    submission = SubmissionOut(
        accepted=counts[CommentOutcome.ACCEPTED],
        updated=counts[CommentOutcome.UPDATED],
        duplicates=counts[CommentOutcome.DUPLICATE],
        rejected=counts[CommentOutcome.REJECTED],
        adjustments=dict(sorted(intake.adjustments.items())),
        items=[_receipt(receipt) for receipt in receipts],
    ).model_dump()
    if counts[CommentOutcome.REJECTED] == sum(counts.values()):
        fault = receipts[0].fault
        return problem(
            "all_rejected",
            f"every item was rejected; the first: {fault}",
            field=fault.field if fault else None,
            **submission,
        )
    return JSONResponse(submission, 202)


def _receipt(receipt: Receipt) -> ReceiptOut:
    fault = receipt.fault
    return ReceiptOut(
        index=receipt.index,
        platform=_shown(identifier(receipt.item, "platform")),
        comment_id=_shown(identifier(receipt.item, "comment_id")),
        status=receipt.status,
        error=FaultOut(code=fault.code, field=fault.field, message=str(fault)) if fault else None,
    )


def _shown(value: str | None) -> str | None:
    clean = storable(value)
    return clean if isinstance(clean, str) else None
