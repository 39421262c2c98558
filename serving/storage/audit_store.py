"""The audit log: written, completed, read; never changed afterwards."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, select, update

from serving.storage.access_tables import audit_log
from serving.storage.audit_record import AuditOutcome, AuditRecord
from serving.storage.database import Database
from serving.storage.instants import from_micros, to_micros

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; None for any.

    Attributes:
        since: first instant, aware.
        until: first instant after them, aware.
    """

    principal_id: str | None = None
    action: str | None = None
    outcome: AuditOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditStore:
    """The `audit_log` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditRecord) -> int:
        """Store an entry; returns its id."""
        statement = (
            audit_log.insert()
            .values(
                at=to_micros(entry.at),
                principal_kind=entry.principal_kind,
                principal_id=entry.principal_id,
                principal_name=entry.principal_name,
                address=entry.address,
                action=entry.action,
                target=entry.target,
                kols=list(entry.kols),
                detail=dict(entry.detail),
                outcome=entry.outcome,
                status=entry.status,
            )
            .returning(audit_log.c.entry_id)
        )
        async with self._database.write(marked=False) as connection:
            entry_id: int = (await connection.execute(statement)).scalar_one()
        return entry_id

    async def complete(
        self,
        entry_id: int,
        outcome: AuditOutcome,
        status: int | None,
        *,
        kols: tuple[str, ...],
        detail: Mapping[str, str],
    ) -> None:
        """Store what became of a request; one whose outcome is known stays as it is."""
        async with self._database.write(marked=False) as connection:
            await connection.execute(
                update(audit_log)
                .where(
                    audit_log.c.entry_id == entry_id,
                    audit_log.c.outcome == AuditOutcome.UNKNOWN,
                )
                .values(outcome=outcome, status=status, kols=list(kols), detail=dict(detail))
            )

    async def page(
        self, wanted: AuditFilter, *, before: int | None, limit: int
    ) -> list[AuditRecord]:
        """Entries, newest first.

        Args:
            wanted: which.
            before: id of the last entry of the page before.
            limit: most entries.
        """
        statement = select(audit_log).where(*_conditions(wanted))
        if before is not None:
            statement = statement.where(audit_log.c.entry_id < before)
        statement = statement.order_by(audit_log.c.entry_id.desc()).limit(limit)
        async with self._database.read() as connection:
            return [_entry(row) for row in (await connection.execute(statement)).mappings()]

    async def stream(self, wanted: AuditFilter) -> AsyncIterator[AuditRecord]:
        """Every entry, newest first, some at a time."""
        before = None
        while True:
            found = await self.page(wanted, before=before, limit=_AT_ONCE)
            for entry in found:
                yield entry
            if len(found) < _AT_ONCE:
                return
            before = found[-1].entry_id


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.principal_id is not None:
        conditions.append(audit_log.c.principal_id == wanted.principal_id)
    if wanted.action is not None:
        conditions.append(audit_log.c.action == wanted.action)
    if wanted.outcome is not None:
        conditions.append(audit_log.c.outcome == wanted.outcome)
    if wanted.since is not None:
        conditions.append(audit_log.c.at >= to_micros(wanted.since))
    if wanted.until is not None:
        conditions.append(audit_log.c.at < to_micros(wanted.until))
    return conditions


def _entry(row: RowMapping) -> AuditRecord:
    return AuditRecord(
        entry_id=row["entry_id"],
        at=from_micros(row["at"]),
        principal_kind=row["principal_kind"],
        principal_id=row["principal_id"],
        principal_name=row["principal_name"],
        address=row["address"],
        action=row["action"],
        target=row["target"],
        kols=tuple(row["kols"]),
        detail=row["detail"],
        outcome=AuditOutcome(row["outcome"]),
        status=row["status"],
    )
