"""The audit log: read, and exported as CSV."""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from serving.access.principal import PrincipalKind
from serving.access.scope import Scope
from serving.api.authorization import requires
from serving.api.aware_time import AwareTime
from serving.api.guarded_route import GuardedRoute
from serving.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from serving.api.problems import documented
from serving.service import Running
from serving.storage.audit_record import AuditOutcome, AuditRecord
from serving.storage.audit_store import AuditFilter

router = APIRouter(tags=["audit"], route_class=GuardedRoute)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    *("entry_id", "at", "principal_kind", "principal_id", "principal_name", "address"),
    *("action", "target", "kols", "detail", "outcome", "status"),
)

PrincipalId = Annotated[
    str | None, Query(max_length=64, description="Only entries of this key or person.")
]
ActionName = Annotated[str | None, Query(max_length=64, description="Only this action.")]
Since = Annotated[AwareTime | None, Query(alias="from", description="First instant.")]
Until = Annotated[AwareTime | None, Query(alias="to", description="First instant after them.")]


class AuditEntryOut(BaseModel):
    """Who asked for what, from where, and what became of it."""

    entry_id: int
    at: datetime
    principal_kind: PrincipalKind | None = Field(
        description="Null, as the next two, where a key was refused."
    )
    principal_id: str | None
    principal_name: str | None
    address: str | None
    action: str = Field(description="Name of the operation, as in the OpenAPI document.")
    target: str
    kols: list[str] = Field(description="The KOLs that it was about, as far as they are known.")
    detail: Mapping[str, str]
    outcome: AuditOutcome = Field(
        description="`unknown` until the request is over; for ever, if the service died meanwhile."
    )
    status: int | None

    @classmethod
    def of(cls, entry: AuditRecord) -> Self:
        """The schema of an entry."""
        return cls.model_validate(entry, from_attributes=True)


class AuditEntryList(BaseModel):
    """A page of entries, newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None


@router.get(
    "/audit",
    responses=documented(422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True, audited=False)],
)
async def list_audit_entries(
    service: Running,
    principal_id: PrincipalId = None,
    action: ActionName = None,
    outcome: AuditOutcome | None = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AuditEntryList:
    """List what was changed, by whom and from where, and who was refused; newest first."""
    wanted = AuditFilter(principal_id, action, outcome, since, until)
    before = int(decode_cursor(cursor, int)[0]) if cursor else None
    found = await service.access.audit_entries.page(wanted, before=before, limit=limit + 1)
    return AuditEntryList(
        items=[AuditEntryOut.of(entry) for entry in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].entry_id) if len(found) > limit else None,
    )


@router.get(
    "/audit.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}, **documented(422, 503)},
    dependencies=[requires(Scope.ADMIN, every_kol=True)],
)
async def export_audit_log(
    service: Running,
    principal_id: PrincipalId = None,
    action: ActionName = None,
    outcome: AuditOutcome | None = None,
    since: Since = None,
    until: Until = None,
) -> StreamingResponse:
    """Export the audit log as CSV, newest entry first."""
    wanted = AuditFilter(principal_id, action, outcome, since, until)

    async def lines() -> AsyncIterator[str]:
        yield _line(_COLUMNS)
        async for entry in service.access.audit_entries.stream(wanted):
            shown = AuditEntryOut.of(entry).model_dump(mode="json")
            shown["kols"] = " ".join(entry.kols)
            shown["detail"] = json.dumps(shown["detail"], ensure_ascii=False)
            yield _line([_cell(shown[name]) for name in _COLUMNS])

    return StreamingResponse(
        lines(),
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


def _cell(value: object) -> str:
    """A value as text that a spreadsheet takes for no formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: tuple[str, ...] | list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
