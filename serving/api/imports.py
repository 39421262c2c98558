"""Imports: files of comments, taken now and read in the background."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from serving.access.scope import Scope
from serving.api.authorization import Asking, Repeats, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.import_schemas import ImportDetailOut, ImportedKolOut, ImportList, ImportOut
from serving.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from serving.api.problems import documented
from serving.api.uploads import Upload, receive
from serving.errors import InputError, InvalidRequest, NotFound
from serving.ingest.import_worker import UploadedFile
from serving.ingest.importers.field_source import parse_fields
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.learning import missing_for
from serving.ingest.importers.preset import catalogue
from serving.ingest.importers.rejected import COLUMNS
from serving.ingest.importers.row_mapper import FIELDS
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.rules import TimeRules
from serving.ingest.values.times import parse_zone, read_time
from serving.kol_limit import KolLimit
from serving.service import Running, Service
from serving.storage.alert_store import AlertFilter
from serving.storage.import_record import ImportRecord, ImportState

router = APIRouter(tags=["imports"], route_class=GuardedRoute)

ImportId = Annotated[int, Path(ge=1, lt=2**63)]
_MOST_KOLS = 1000
_MOST_ALERTS = 1000
_ROWS_AT_ONCE = 500
_OPTIONS = {
    "kol": "The KOL of every comment.",
    "platform": "The platform of every comment.",
    "field": "`FIELD=PATH`: read a field from this column, key or JMESPath expression; repeatable.",
    "time_zone": "Time zone of times that name none.",
    "date_format": "The format of all times, as Python's `strptime` takes it.",
    "day_first": "Whether 01/02/2026 is 1 February.",
    "as_of": "When the file was made, to read times such as `2 days ago`.",
    "preset": "The tool that made the file.",
    "sheet": "The sheet of a spreadsheet.",
    "encoding": "Encoding of a table in text.",
    "delimiter": "Delimiter of a table in text.",
}
_BODY = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    **{
                        name: {"type": "string", "description": about}
                        for name, about in _OPTIONS.items()
                    },
                },
            }
        },
    },
}


def _option(name: str) -> object:
    return Query(description=_OPTIONS[name])


@router.post(
    "/imports",
    status_code=202,
    responses=documented(400, 422, 429, 503),
    openapi_extra={"requestBody": _BODY},
    dependencies=[requires(Scope.INGEST, repeats=Repeats("GET /v1/imports lists the imports"))],
)
async def post_import(
    request: Request,
    response: Response,
    service: Running,
    principal: Asking,
    name: Annotated[str, Query(max_length=200, description="Name of a raw file.")] = "upload",
    kol: Annotated[str | None, _option("kol")] = None,
    platform: Annotated[str | None, _option("platform")] = None,
    field: Annotated[list[str] | None, _option("field")] = None,
    time_zone: Annotated[str | None, _option("time_zone")] = None,
    date_format: Annotated[str | None, _option("date_format")] = None,
    day_first: Annotated[bool | None, _option("day_first")] = None,
    as_of: Annotated[str | None, _option("as_of")] = None,
    preset: Annotated[str | None, _option("preset")] = None,
    sheet: Annotated[str | None, _option("sheet")] = None,
    encoding: Annotated[str | None, _option("encoding")] = None,
    delimiter: Annotated[str | None, _option("delimiter")] = None,
) -> ImportOut:
    """Import a file of comments: the raw body, or the part `file` of a form.

    The file is stored and read in the background; `GET` the import to see how far it is. Options
    are query parameters, or further fields of the form. You can send a file again: comments that
    are there count as duplicates.
    """
    given = {
        "kol": kol,
        "platform": platform,
        "time_zone": time_zone,
        "date_format": date_format,
        "day_first": None if day_first is None else str(day_first),
        "as_of": as_of,
        "preset": preset,
        "sheet": sheet,
        "encoding": encoding,
        "delimiter": delimiter,
    }
    worker = service.import_worker
    with worker.receiving():
        upload = await receive(request, worker.folder)
        try:
            options = _options(upload, {key: value for key, value in given.items() if value}, field)
            file = UploadedFile(upload.path, (upload.name or name)[:200], options, principal.kols)
            import_id = await worker.take(file)
        except BaseException:
            upload.path.unlink(missing_ok=True)
            raise
    response.headers["Location"] = f"/v1/imports/{import_id}"
    return ImportOut.of(await service.imports.get(import_id), used=None)


def _options(upload: Upload, given: dict[str, str], fields: list[str] | None) -> ImportOptions:
    """Options of the query and of a form together.

    Raises:
        InvalidRequest: one of them cannot be used.
    """
    for name, values in upload.fields.items():
        if name in _OPTIONS and name != "field":
            given.setdefault(name, values[-1])
    pairs = [*(fields or []), *upload.fields.get("field", [])]
    constants = {"kol_id": given.get("kol"), "platform": given.get("platform")}
    try:
        if "preset" in given:
            catalogue().named(given["preset"])
        return ImportOptions(
            constants={key: value for key, value in constants.items() if value},
            fields=parse_fields(pairs, FIELDS),
            times=TimeRules(
                parse_zone(given["time_zone"]) if "time_zone" in given else None,
                given.get("date_format"),
                _flag(given.get("day_first")),
                _instant(given.get("as_of")),
            ),
            preset=given.get("preset"),
            sheet=given.get("sheet"),
            encoding=given.get("encoding"),
            delimiter=given.get("delimiter"),
        )
    except InputError as error:
        raise InvalidRequest("invalid_parameter", str(error)) from None
    except InvalidValue as error:
        raise InvalidRequest("invalid_parameter", f"as_of {error.message}", field="as_of") from None
    except ValueError as error:
        raise InvalidRequest("invalid_parameter", str(error)) from None


def _flag(value: str | None) -> bool | None:
    if value is None:
        return None
    if value.casefold() not in {"true", "false"}:
        raise ValueError(f"day_first {value!r} is neither true nor false")
    return value.casefold() == "true"


def _instant(value: str | None) -> datetime | None:
    return None if value is None else read_time(value, TimeRules(parse_zone("UTC")))


@router.get(
    "/imports", responses=documented(422, 503), dependencies=[requires(Scope.READ, Scope.INGEST)]
)
async def list_imports(
    service: Running, principal: Asking, limit: Limit = 100, cursor: Cursor = None
) -> ImportList:
    """List imports, last received first. A principal that is limited to some KOLs sees those that
    were sent with no other KOLs in their limit.
    """
    before = int(decode_cursor(cursor, int)[0]) if cursor else None
    found = await service.imports.page(before=before, limit=limit + 1, visible=principal.kols)
    more = len(found) > limit
    return ImportList(
        items=[
            ImportOut.of(record, used=await _used(service, record, principal.kols))
            for record in found[:limit]
        ],
        next_cursor=encode_cursor(found[limit - 1].import_id) if more else None,
    )


@router.get(
    "/imports/{import_id}",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ, Scope.INGEST)],
)
async def get_import(import_id: ImportId, service: Running, principal: Asking) -> ImportDetailOut:
    """Get an import: how far it is, what became of its rows, and what they have shown."""
    record = await service.imports.get(import_id, principal.kols)
    named = await service.kols.visible_leads(record.count.kols.keys(), principal.kols)
    kols = []
    for kol_id in sorted(named)[:_MOST_KOLS]:
        span = record.count.kols[kol_id]
        alerts = await service.alerts.page(
            AlertFilter(kol_id=kol_id, since=span.first, visible=principal.kols),
            before=None,
            limit=_MOST_ALERTS,
        )
        learning = await _learning(service, kol_id)
        kols.append(
            ImportedKolOut.of(kol_id, span, alerts[::-1], missing_for(span, learning=learning))
        )
    return ImportDetailOut.with_kols(
        record, kols, used=await _used(service, record, principal.kols)
    )


@router.get(
    "/imports/{import_id}/rejected.csv",
    response_class=StreamingResponse,
    responses={
        200: {"description": "Row, field, reason and code.", "content": {"text/csv": {}}},
        **documented(404, 422, 503),
    },
    dependencies=[requires(Scope.READ, Scope.INGEST)],
)
async def get_rejected(
    import_id: ImportId, service: Running, principal: Asking
) -> StreamingResponse:
    """Get the rows of an import that were refused so far, at most 100,000, as CSV."""
    record = await service.imports.get(import_id, principal.kols)
    return StreamingResponse(
        _csv(service, import_id),
        media_type="text/csv",
        headers={
            "Content-Disposition": f'attachment; filename="import-{record.import_id}.rejected.csv"'
        },
    )


async def _csv(service: Service, import_id: int) -> AsyncIterator[str]:
    rows: list[tuple[object, ...]] = [COLUMNS]
    async for row in service.imports.rejected(import_id):
        rows.append((row.number, row.field, row.reason, row.code))
        if len(rows) == _ROWS_AT_ONCE:
            yield _written(rows)
            rows.clear()
    yield _written(rows)


def _written(rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


async def _learning(service: Service, kol_id: str) -> bool:
    try:
        kol = await service.kols.get(kol_id)
    except NotFound:
        return True
    return kol.status is None or kol.status.learning


async def _used(service: Service, record: ImportRecord, visible: KolLimit) -> int | None:
    if record.state != ImportState.FINISHED or record.last_seq is None:
        return None
    if service.pipeline.progress.seq < record.last_seq or await service.reruns.count(visible):
        return None
    return record.count.used
