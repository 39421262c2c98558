"""Reads and writes the engine's state of each KOL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.engine import KolStatus
from serving.errors import StoreError
from serving.storage.instants import from_micros, to_micros
from serving.storage.pipeline_step import EngineState
from serving.storage.tables import engine_states
from serving.storage.upsert import insert


def to_state(row: Row[Any]) -> EngineState:
    """A row of `engine_states` as the record.

    Raises:
        StoreError: the status cannot be read.
    """
    return EngineState(
        kol_id=row.kol_id,
        snapshot=row.snapshot,
        status=to_status(row.status),
        last_created_at=from_micros(row.last_created_at),
        last_received_at=from_micros(row.last_received_at),
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
    connection: AsyncConnection, states: Sequence[EngineState], step: int
) -> None:
    """Write the states that a step left, inside its transaction."""
    if not states:
        return
    statement = insert(connection, engine_states)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id"],
        set_={
            name: statement.excluded[name]
            for name in ("snapshot", "status", "last_created_at", "last_received_at", "step")
        },
    )
    await connection.execute(
        statement,
        [
            {
                "kol_id": state.kol_id,
                "snapshot": state.snapshot,
                "status": _to_json(state.status),
                "last_created_at": to_micros(state.last_created_at),
                "last_received_at": to_micros(state.last_received_at),
                "step": step,
            }
            for state in states
        ],
    )


def _to_json(status: KolStatus) -> dict[str, Any]:
    watermark = status.watermark
    return asdict(status) | {"watermark": None if watermark is None else watermark.isoformat()}
