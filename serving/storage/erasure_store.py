"""Erasures: asked for, carried out in steps, and finished after a restart.

Each step is a short transaction. What was asked for is committed first, so nothing stays half done.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.comment_eraser import erase_comments
from serving.storage.database import Database
from serving.storage.erasure_record import Erasure, ErasureKind, ErasurePhase
from serving.storage.erasure_rows import begin_erasure, save_erasure, to_erasure
from serving.storage.evidence_samples import Sample, without_samples
from serving.storage.instants import to_micros
from serving.storage.keyed_request_store import drop_answers
from serving.storage.kol_deletion import delete_profile
from serving.storage.tables import (
    alert_events,
    alerts,
    comments,
    erasures,
    notification_payloads,
)

_AT_ONCE = 200  # comments that change in one step
_LOOKED_AT = 5000  # comments that one step looks at
_EVIDENCE_AT_ONCE = 50
_ASKED_FOR = (ErasureKind.COMMENT, ErasureKind.AUTHOR, ErasureKind.KOL)


class ErasureStore:
    """The `erasures` table, and what each row asks for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self,
        kind: ErasureKind,
        subject: Sequence[str],
        actor: str,
        now: datetime,
        *,
        platform: str | None = None,
        kols: KolLimit = EVERY_KOL,
    ) -> Erasure:
        """Ask for an erasure; from now on it is carried out, whatever happens.

        Args:
            kind: what is erased.
            subject: the id of the comment or KOL, or the ids that the author's comments may bear.
            actor: who wants it.
            now: the instant.
            platform: only comments of this platform.
            kols: only comments in the streams of these KOLs.
        """
        async with self._database.write() as connection:
            return await begin_erasure(
                connection, kind, subject, actor, now, platform=platform, kols=kols
            )

    async def delete_kol(self, kol_id: str, actor: str, now: datetime) -> Erasure:
        """Delete what is known of a KOL, and ask for the erasure of its comments.

        Raises:
            NotFound: there is no such KOL.
            Conflict: it was merged into another.
        """
        async with self._database.write() as connection:
            await delete_profile(connection, kol_id, now)
            return await begin_erasure(connection, ErasureKind.KOL, [kol_id], actor, now)

    async def get(self, erasure_id: int) -> Erasure:
        """An erasure as it is now."""
        statement = select(erasures).where(erasures.c.erasure_id == erasure_id)
        async with self._database.read() as connection:
            return to_erasure((await connection.execute(statement)).one())

    async def unfinished(self) -> list[Erasure]:
        """The erasures that are still to be carried out, oldest first."""
        statement = (
            select(erasures)
            .where(erasures.c.finished_at.is_(None), erasures.c.kind.in_(_ASKED_FOR))
            .order_by(erasures.c.erasure_id)
        )
        async with self._database.read() as connection:
            return [to_erasure(row) for row in await connection.execute(statement)]

    async def advance(self, erasure: Erasure, now: datetime) -> Erasure:
        """Carry out one step; the erasure as it is then."""
        async with self._database.write() as connection:
            if erasure.phase is ErasurePhase.COMMENTS:
                after = await _erase_comments(connection, erasure, now)
            elif erasure.phase is ErasurePhase.ANSWERS:
                after = await without_answers(connection, erasure)
            else:
                after = await _scrub(connection, erasure)
            if after.phase is ErasurePhase.DONE:
                after = replace(
                    after, platform=None, subject=(), kols=(), secret="", finished_at=now
                )
            await save_erasure(connection, after)
        return after

    async def expire(self, before: datetime, now: datetime, *, up_to: int) -> int:
        """Erase the oldest comments that were received before an instant, at most some hundred.

        Args:
            before: the instant.
            now: the present one.
            up_to: only comments up to this place in the log: those that were processed, and are
                not read again to be replayed.

        Returns:
            How many, in the order of the log; 0 if there is none left.
        """
        async with self._database.write() as connection:
            erasure = await _expiry(connection, now)
            which = [
                comments.c.seq > erasure.reached,
                comments.c.seq <= up_to,
                comments.c.received_at < to_micros(before),
            ]
            places = await erase_comments(
                connection, which, erasure, at=to_micros(now), limit=_AT_ONCE
            )
            if places:
                reached, count = places[-1], erasure.comments + len(places)
                await save_erasure(connection, replace(erasure, reached=reached, comments=count))
            return len(places)


async def _expiry(connection: AsyncConnection, now: datetime) -> Erasure:
    """The one erasure that goes on for ever."""
    found = await connection.execute(select(erasures).where(erasures.c.kind == ErasureKind.EXPIRY))
    if (row := found.first()) is not None:
        return to_erasure(row)
    return await begin_erasure(connection, ErasureKind.EXPIRY, (), "retention", now)


async def _erase_comments(connection: AsyncConnection, erasure: Erasure, now: datetime) -> Erasure:
    which = _which(erasure)
    if erasure.kind is not ErasureKind.COMMENT:  # there is an index for that only
        which += [
            comments.c.seq > erasure.reached,
            comments.c.seq <= erasure.reached + _LOOKED_AT,
        ]
    places = await erase_comments(connection, which, erasure, at=to_micros(now), limit=_AT_ONCE)
    count = erasure.comments + len(places)
    if len(places) == _AT_ONCE:
        return replace(erasure, reached=places[-1], comments=count)
    last = await connection.scalar(select(func.max(comments.c.seq))) or 0
    if erasure.kind is ErasureKind.COMMENT or erasure.reached + _LOOKED_AT >= last:
        return replace(erasure, reached=0, comments=count, phase=erasure.phase.next)
    return replace(erasure, reached=erasure.reached + _LOOKED_AT, comments=count)


def _which(erasure: Erasure) -> list[ColumnElement[bool]]:
    """The comments that an erasure is about, whose places are not yet bounded."""
    column = {
        ErasureKind.COMMENT: comments.c.comment_id,
        ErasureKind.AUTHOR: comments.c.author_id,
        ErasureKind.KOL: comments.c.kol_id,
    }[erasure.kind]
    which: list[ColumnElement[bool]] = [column.in_(erasure.subject)]
    if erasure.platform is not None:
        which.append(comments.c.platform == erasure.platform)
    if erasure.kols:
        which.append(comments.c.kol_id.in_(erasure.kols))
    return which


async def without_answers(connection: AsyncConnection, erasure: Erasure) -> Erasure:
    """Take some answers to requests with an idempotency key away; they may show what is erased."""
    reached, is_last = await drop_answers(connection, erasure.reached)
    if is_last:
        return replace(erasure, reached=0, phase=erasure.phase.next)
    return replace(erasure, reached=reached)


async def _scrub(connection: AsyncConnection, erasure: Erasure) -> Erasure:
    """Take copies of comments out of some rows of evidence."""
    of_events = erasure.phase is ErasurePhase.EVENTS
    table = alert_events if of_events else notification_payloads
    key = table.c.event_id if of_events else table.c.payload_id
    statement = (
        select(key.label("place"), table.c.alert_id, table.c.kol_id, table.c.evidence)
        .where(key > erasure.reached)
        .order_by(key)
        .limit(_EVIDENCE_AT_ONCE)
    )
    rows = (await connection.execute(statement)).all()
    gone = 0
    for row in rows:
        gone += await _write_scrubbed(connection, table, key, row.place, row, erasure)
    if of_events and rows:
        # The evidence of an alert is that of one of its events.
        named = select(alerts.c.alert_id.label("place"), alerts.c.kol_id, alerts.c.evidence).where(
            alerts.c.alert_id.in_({row.alert_id for row in rows})
        )
        for one in (await connection.execute(named)).all():
            gone += await _write_scrubbed(
                connection, alerts, alerts.c.alert_id, one.place, one, erasure
            )
    samples = erasure.samples + gone
    if len(rows) < _EVIDENCE_AT_ONCE:
        return replace(erasure, reached=0, samples=samples, phase=erasure.phase.next)
    return replace(erasure, reached=rows[-1].place, samples=samples)


async def _write_scrubbed(
    connection: AsyncConnection,
    table: Table,
    key: Any,
    place: object,
    row: Row[*tuple[Any, ...]],
    erasure: Erasure,
) -> int:
    evidence, gone = without_samples(row.evidence, _concerned(erasure, row.kol_id))
    if gone:
        await connection.execute(update(table).where(key == place).values(evidence=evidence))
    return gone


def _concerned(erasure: Erasure, kol_id: str | None) -> Callable[[Sample], bool]:
    """Whether a sample in the evidence of a KOL's alert is of a comment that is erased."""

    def goes(sample: Sample) -> bool:
        if erasure.kind is ErasureKind.KOL:
            return kol_id in erasure.subject
        if erasure.kols and kol_id not in erasure.kols:
            return False
        if erasure.platform not in (None, sample["platform"]):
            return False
        name = "comment_id" if erasure.kind is ErasureKind.COMMENT else "author_id"
        return sample[name] in erasure.subject

    return goes
