"""Checks that a database is whole: its file, its schema, and what belongs together in it."""

from sqlalchemy import Column, and_, case, cast, exists, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger

from monitoring.errors import SnapshotError
from monitoring.snapshot import decode
from serving.errors import StoreError
from serving.storage.database import Database
from serving.storage.rebuild import PIPELINE
from serving.storage.score_rows import MILLIONTHS
from serving.storage.state_check import REMEDY, missing_state
from serving.storage.tables import (
    alert_events,
    alerts,
    comment_changes,
    comment_versions,
    comments,
    deliveries,
    engine_snapshots,
    engine_states,
    minutes,
    notification_payloads,
    progress,
    scores,
)

_RESTORE = "restore a backup with 'groundswell db restore'"
_AT_ONCE = 200
# Rows of the first column name a row of the second.
_NAMED: tuple[tuple[Column[int], Column[int], str], ...] = (
    (scores.c.seq, comments.c.seq, REMEDY),
    (comment_versions.c.seq, comments.c.seq, _RESTORE),
    (alert_events.c.alert_id, alerts.c.alert_id, REMEDY),
    (deliveries.c.payload_id, notification_payloads.c.payload_id, _RESTORE),
)


async def check_database(database: Database, *, may_be_older: bool = False) -> list[str]:
    """What is wrong with a database, each with its remedy; empty if it is whole.

    It only reads, from one moment, so the service may run.

    Args:
        database: which.
        may_be_older: whether a schema that this version can upgrade is right too. Of such a
            database only the file is checked.

    Raises:
        StoreError: the database cannot be read.
    """
    try:
        return await _check(database, may_be_older=may_be_older)
    except StoreError as error:
        reason = getattr(error.__cause__, "orig", None)
        if getattr(reason, "sqlite_errorname", "").startswith("SQLITE_CORRUPT"):
            return [f"the file is damaged: {reason}; {_RESTORE}"]
        raise


async def _check(database: Database, *, may_be_older: bool) -> list[str]:
    async with database.read() as connection:
        if connection.dialect.name == "sqlite":
            found = (await connection.execute(text("PRAGMA integrity_check(20)"))).scalars().all()
            if list(found) != ["ok"]:
                return [f"the file is damaged: {line}; {_RESTORE}" for line in found]
        version = await schema_version(connection)
        if version is None:
            return ["it is no database of Groundswell; name another one with --database-url"]
        newest = Database.newest_version()
        if version != newest and may_be_older and Database.knows_version(version):
            return []
        if version != newest:
            return [
                f"its schema has the version {version}, this is {newest}; 'groundswell db upgrade'"
                " upgrades an older one"
            ]
        problems = []
        if (missing := await missing_state(connection)) is not None:
            problems.append(f"{missing}; {REMEDY}")
        problems += await _unnamed(connection)
        problems += await _snapshots(connection)
        problems += await _places(connection)
        problems += await _sums(connection)
        return problems


async def schema_version(connection: AsyncConnection) -> str | None:
    """The version of a database's schema; None if it is no database of Groundswell."""
    try:
        found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError:
        return None
    return found


async def _unnamed(connection: AsyncConnection) -> list[str]:
    problems = []
    for column, target, remedy in _NAMED:
        statement = (
            select(func.count()).select_from(column.table).where(~exists().where(target == column))
        )
        if count := await connection.scalar(statement):
            problems.append(
                f"{count} rows of {column.table.name} belong to no row of {target.table.name};"
                f" {remedy}"
            )
    return problems


async def _snapshots(connection: AsyncConnection) -> list[str]:
    problems, after = [], ""
    while True:
        statement = (
            select(engine_snapshots)
            .where(engine_snapshots.c.kol_id > after)
            .order_by(engine_snapshots.c.kol_id)
            .limit(_AT_ONCE)
        )
        rows = (await connection.execute(statement)).all()
        for kol_id, snapshot in rows:
            try:
                decode(kol_id, snapshot)
            except SnapshotError as error:
                problems.append(f"the state of KOL {kol_id!r} cannot be read: {error}; {REMEDY}")
        if len(rows) < _AT_ONCE:
            return problems
        after = rows[-1].kol_id


async def _places(connection: AsyncConnection) -> list[str]:
    """KOLs of which it is not known what is to be replayed of the log."""
    reached = select(progress.c.seq).where(progress.c.name == PIPELINE).scalar_subquery()
    marked = select(progress.c.mark).where(progress.c.name == PIPELINE).scalar_subquery()
    state = engine_states.c
    statement = (
        select(state.kol_id)
        .where(
            (state.replay_seq > state.seq)
            | (state.replay_mark > state.mark)
            | (state.seq > reached)
            | (state.mark > marked)
        )
        .order_by(state.kol_id)
        .limit(20)
    )
    return [
        f"the state of KOL {kol_id!r} does not fit its snapshot; {REMEDY}"
        for kol_id in (await connection.execute(statement)).scalars()
    ]


async def _sums(connection: AsyncConnection) -> list[str]:
    """KOLs whose sums of minutes are not those of their comments."""
    done = await connection.scalar(
        select(progress.c.comment_change).where(progress.c.name == PIPELINE)
    )
    # A removal that the pipeline has not taken over yet is still in the sums.
    counts = and_(
        comments.c.removed_at.is_(None)
        | exists().where(
            comment_changes.c.seq == comments.c.seq, comment_changes.c.change_id > (done or 0)
        )
    )
    share = cast(func.round(scores.c.negative * MILLIONTHS), BigInteger)
    of_comments = (
        select(
            comments.c.kol_id,
            func.sum(case((counts, 1), else_=0)).label("n"),
            func.sum(case((counts, share), else_=0)).label("negative"),
        )
        .join(scores, scores.c.seq == comments.c.seq)
        .group_by(comments.c.kol_id)
        .subquery()
    )
    of_minutes = (
        select(
            minutes.c.kol_id,
            func.sum(minutes.c.comments).label("n"),
            func.sum(minutes.c.negative).label("negative"),
        )
        .group_by(minutes.c.kol_id)
        .subquery()
    )
    statement = (
        select(of_comments.c.kol_id, of_comments.c.n, of_minutes.c.n)
        .outerjoin(of_minutes, of_minutes.c.kol_id == of_comments.c.kol_id)
        .where(
            (of_comments.c.n != func.coalesce(of_minutes.c.n, 0))
            | (of_comments.c.negative != func.coalesce(of_minutes.c.negative, 0))
        )
        .order_by(of_comments.c.kol_id)
        .limit(20)
    )
    return [
        f"the sums of the minutes of KOL {kol_id!r} ({there or 0} comments) are not those of its"
        f" {n} comments; {REMEDY}"
        for kol_id, n, there in await connection.execute(statement)
    ]
