"""Silences: added, listed, ended early; never deleted."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import Severity
from serving.errors import NotFound
from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.kol_store import archived_kols
from serving.storage.tables import silences
from serving.triage.silences import Matchers, Silence, SilenceState, of_archived


async def active_silences(connection: AsyncConnection, now: datetime) -> list[Silence]:
    """The active silences, inside a transaction; oldest first.

    If KOLs are archived, one that nobody made comes before them: it mutes their alerts.
    """
    statement = select(silences).where(_is(SilenceState.ACTIVE, to_micros(now)))
    rows = (await connection.execute(statement.order_by(silences.c.silence_id))).mappings()
    found = [_silence(row) for row in rows]
    archived = await archived_kols(connection)
    return [of_archived(archived, now), *found] if archived else found


class SilenceStore:
    """The `silences` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, silence: Silence) -> Silence:
        """Store a silence; returns it with its id."""
        matchers = silence.matchers
        statement = (
            silences.insert()
            .values(
                kols=_listed(matchers.kols),
                kinds=_listed(matchers.kinds),
                posts=_listed(matchers.posts),
                max_severity=matchers.max_severity,
                starts_at=to_micros(silence.starts_at),
                ends_at=to_micros(silence.ends_at),
                reason=silence.reason,
                created_by=silence.created_by,
                created_at=to_micros(silence.created_at),
            )
            .returning(silences.c.silence_id)
        )
        async with self._database.write() as connection:
            return replace(silence, silence_id=(await connection.execute(statement)).scalar_one())

    async def get(self, silence_id: int) -> Silence:
        """One silence.

        Raises:
            NotFound: there is no such silence.
        """
        statement = select(silences).where(silences.c.silence_id == silence_id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"there is no silence {silence_id}; GET /v1/silences lists them")
        return _silence(row)

    async def expire(self, silence_id: int, actor: str, now: datetime) -> Silence:
        """End a silence now; one that is over stays as it was. Returns it.

        Raises:
            NotFound: there is no such silence.
        """
        at = to_micros(now)
        statement = (
            update(silences)
            .where(silences.c.silence_id == silence_id, ~_is(SilenceState.EXPIRED, at))
            .values(expired_by=actor, expired_at=at)
        )
        async with self._database.write() as connection:
            await connection.execute(statement)
        return await self.get(silence_id)

    async def page(
        self, state: SilenceState | None, now: datetime, *, before: int | None, limit: int
    ) -> list[Silence]:
        """Silences, newest first.

        Args:
            state: only these; None for all.
            now: decides which are in that state.
            before: id of the last silence of the page before.
            limit: most silences.
        """
        statement = select(silences).order_by(silences.c.silence_id.desc()).limit(limit)
        if state is not None:
            statement = statement.where(_is(state, to_micros(now)))
        if before is not None:
            statement = statement.where(silences.c.silence_id < before)
        async with self._database.read() as connection:
            return [_silence(row) for row in (await connection.execute(statement)).mappings()]


def _is(state: SilenceState, now: int) -> ColumnElement[bool]:
    """`Silence.state` in SQL."""
    over = or_(silences.c.expired_at.is_not(None), silences.c.ends_at <= now)
    if state == SilenceState.EXPIRED:
        return over
    begun = silences.c.starts_at <= now
    return and_(~over, begun if state == SilenceState.ACTIVE else ~begun)


def _listed(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _silence(row: RowMapping) -> Silence:
    return Silence(
        silence_id=row["silence_id"],
        matchers=Matchers(
            kols=_set(row["kols"]),
            kinds=_set(row["kinds"]),
            posts=_set(row["posts"]),
            max_severity=row["max_severity"] and Severity(row["max_severity"]),
        ),
        starts_at=from_micros(row["starts_at"]),
        ends_at=from_micros(row["ends_at"]),
        reason=row["reason"],
        created_by=row["created_by"],
        created_at=from_micros(row["created_at"]),
        expired_by=row["expired_by"],
        expired_at=optional_from_micros(row["expired_at"]),
    )


def _set(names: Collection[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
