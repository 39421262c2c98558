"""Erasures as rows of their table and back."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.erasure_record import Erasure, ErasureKind, ErasurePhase
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.tables import erasures


async def begin_erasure(
    connection: AsyncConnection,
    kind: ErasureKind,
    subject: Sequence[str],
    actor: str,
    now: datetime,
    *,
    platform: str | None = None,
    kols: KolLimit = EVERY_KOL,
) -> Erasure:
    """Write a new erasure with a secret of its own, inside a transaction."""
    secret = secrets.token_hex(32)
    statement = (
        erasures.insert()
        .values(
            kind=kind,
            platform=platform,
            subject=list(subject),
            kols=None if kols.kol_ids is None else sorted(kols.kol_ids),
            secret=secret,
            actor=actor,
            requested_at=to_micros(now),
            phase=ErasurePhase.COMMENTS,
        )
        .returning(erasures)
    )
    return to_erasure((await connection.execute(statement)).one())


async def save_erasure(connection: AsyncConnection, erasure: Erasure) -> None:
    """Write how far an erasure is, inside its step's transaction."""
    finished = erasure.finished_at
    await connection.execute(
        update(erasures)
        .where(erasures.c.erasure_id == erasure.erasure_id)
        .values(
            platform=erasure.platform,
            subject=list(erasure.subject) or None,
            kols=list(erasure.kols) or None,
            secret=erasure.secret or None,
            phase=erasure.phase,
            reached=erasure.reached,
            comments=erasure.comments,
            samples=erasure.samples,
            finished_at=None if finished is None else to_micros(finished),
        )
    )


def to_erasure(row: Row[Any]) -> Erasure:
    """A row of `erasures` as the record."""
    return Erasure(
        erasure_id=row.erasure_id,
        kind=ErasureKind(row.kind),
        platform=row.platform,
        subject=tuple(row.subject or ()),
        kols=tuple(row.kols or ()),
        secret=row.secret or "",
        actor=row.actor,
        requested_at=from_micros(row.requested_at),
        finished_at=optional_from_micros(row.finished_at),
        phase=ErasurePhase(row.phase),
        reached=row.reached,
        comments=row.comments,
        samples=row.samples,
    )
