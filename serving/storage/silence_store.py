"""Silences: added, listed, ended early; never deleted."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import Severity
from serving.errors import NotFound
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.kol_filter import shares_kol, within
from serving.storage.kol_store import archived_kols
from serving.storage.tables import post_kols, silences
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

    async def get(self, silence_id: int, visible: KolLimit = EVERY_KOL) -> Silence:
        """One silence; see `page` for what a limit leaves of it.

        Raises:
            NotFound: there is no such silence, or it names no KOL of the limit.
        """
        statement = select(silences).where(
            silences.c.silence_id == silence_id, *shares_kol(silences.c.kols, visible)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
            if row is None:
                raise NotFound(f"there is no silence {silence_id}; GET /v1/silences lists them")
            return (await _seen(connection, [_silence(row)], visible))[0]

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
        self,
        state: SilenceState | None,
        now: datetime,
        *,
        before: int | None,
        limit: int,
        visible: KolLimit = EVERY_KOL,
    ) -> list[Silence]:
        """Silences, newest first.

        Args:
            state: only these; None for all.
            now: decides which are in that state.
            before: id of the last silence of the page before.
            limit: most silences.
            visible: only those that name one of its KOLs, and of each what is about these KOLs: a
                reason may speak of the others.
        """
        statement = (
            select(silences)
            .where(*shares_kol(silences.c.kols, visible))
            .order_by(silences.c.silence_id.desc())
            .limit(limit)
        )
        if state is not None:
            statement = statement.where(_is(state, to_micros(now)))
        if before is not None:
            statement = statement.where(silences.c.silence_id < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
            return await _seen(connection, [_silence(row) for row in rows], visible)


async def _seen(
    connection: AsyncConnection, found: Sequence[Silence], visible: KolLimit
) -> list[Silence]:
    """Silences without what is about KOLs outside of a limit."""
    partly = {
        one.silence_id
        for one in found
        if one.matchers.kols is None or not visible.allows_all(one.matchers.kols)
    }
    if visible.is_everything or not partly:
        return list(found)
    named = {
        post_id for one in found if one.silence_id in partly for post_id in one.matchers.posts or ()
    }
    statement = select(post_kols.c.post_id).where(
        post_kols.c.post_id.in_(named), *within(post_kols.c.kol_id, visible)
    )
    known = frozenset((await connection.execute(statement)).scalars()) if named else frozenset()
    return [
        replace(
            one,
            reason="",
            matchers=replace(
                one.matchers,
                kols=frozenset(filter(visible.allows, one.matchers.kols or ())),
                posts=(one.matchers.posts or frozenset()) & known or None,
            ),
        )
        if one.silence_id in partly
        else one
        for one in found
    ]


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
