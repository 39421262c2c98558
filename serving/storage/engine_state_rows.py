"""Reads and writes the engine's state of each KOL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.engine import KolStatus
from serving.errors import StoreError
from serving.storage.instants import from_micros, to_micros
from serving.storage.pipeline_step import EngineState, LogPlace, SavedSnapshot, StoredState
from serving.storage.state_check import REMEDY
from serving.storage.tables import engine_snapshots, engine_states
from serving.storage.upsert import insert

_WRITTEN = (
    "status", "last_created_at", "last_received_at", "step", "seq", "mark", "replay_seq",
    "replay_mark",
)  # fmt: skip
_STATES = select(engine_states, engine_snapshots.c.snapshot).outerjoin(
    engine_snapshots, engine_snapshots.c.kol_id == engine_states.c.kol_id
)
_SAVED = (
    update(engine_states)
    .where(engine_states.c.kol_id == bindparam("saved_kol", type_=engine_states.c.kol_id.type))
    .values(replay_seq=engine_states.c.seq, replay_mark=engine_states.c.mark)
)


async def read_states(connection: AsyncConnection, after: str, limit: int) -> list[StoredState]:
    """States in the order of their KOLs' ids, after that of `after`.

    Raises:
        StoreError: a status cannot be read, or a snapshot is missing.
    """
    statement = (
        _STATES.where(engine_states.c.kol_id > after).order_by(engine_states.c.kol_id).limit(limit)
    )
    return [_to_state(row) for row in await connection.execute(statement)]


async def read_state(connection: AsyncConnection, kol_id: str) -> StoredState:
    """The state of a KOL that has one.

    Raises:
        StoreError: it cannot be read, or its snapshot is missing.
    """
    statement = _STATES.where(engine_states.c.kol_id == kol_id)
    return _to_state((await connection.execute(statement)).one())


def _to_state(row: Row[Any]) -> StoredState:
    if row.snapshot is None:
        raise StoreError(f"the state of KOL {row.kol_id!r} is missing; {REMEDY}")
    return StoredState(
        kol_id=row.kol_id,
        status=to_status(row.status),
        last_created_at=from_micros(row.last_created_at),
        last_received_at=from_micros(row.last_received_at),
        snapshot=row.snapshot,
        replay_after=LogPlace(row.replay_seq, row.replay_mark),
        replay_up_to=LogPlace(row.seq, row.mark),
    )


def to_status(stored: dict[str, Any]) -> KolStatus:
    """The status of a KOL as it was stored.

    Raises:
        StoreError: another version stored it.
    """
    try:
        watermark = stored["watermark"]
        read = stored | {"watermark": watermark and datetime.fromisoformat(watermark)}
        return KolStatus(**read)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"the status of a KOL cannot be read: {error}; "
            "'groundswell db rebuild' computes it again from the log"
        ) from error


async def write_states(
    connection: AsyncConnection, states: Sequence[EngineState], step: int, reached: LogPlace
) -> None:
    """Write the states that a step left, inside its transaction.

    Args:
        connection: the transaction.
        states: of the KOLs that it touched.
        step: its number.
        reached: how far the log has been processed with it.
    """
    if not states:
        return
    statement = insert(connection, engine_states)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id"],
        set_={name: statement.excluded[name] for name in _WRITTEN},
    )
    rows = []
    for state in states:
        replay_after = state.replay_after or reached
        rows.append(
            {
                "kol_id": state.kol_id,
                "status": _to_json(state.status),
                "last_created_at": to_micros(state.last_created_at),
                "last_received_at": to_micros(state.last_received_at),
                "step": step,
                "seq": reached.seq,
                "mark": reached.mark,
                "replay_seq": replay_after.seq,
                "replay_mark": replay_after.mark,
            }
        )
    await connection.execute(statement, rows)
    await _write_snapshots(
        connection,
        [
            {"kol_id": state.kol_id, "snapshot": state.snapshot}
            for state in states
            if state.snapshot is not None
        ],
    )


async def save_snapshots(connection: AsyncConnection, saved: Sequence[SavedSnapshot]) -> None:
    """Write snapshots of KOLs as their states are; nothing is left to be replayed of them."""
    if not saved:
        return
    await connection.execute(_SAVED, [{"saved_kol": one.kol_id} for one in saved])
    await _write_snapshots(
        connection, [{"kol_id": one.kol_id, "snapshot": one.snapshot} for one in saved]
    )


async def _write_snapshots(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(connection, engine_snapshots)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kol_id"], set_={"snapshot": statement.excluded.snapshot}
        ),
        rows,
    )


def _to_json(status: KolStatus) -> dict[str, Any]:
    watermark = status.watermark
    return asdict(status) | {"watermark": None if watermark is None else watermark.isoformat()}
