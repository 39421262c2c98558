"""Minute scores as rows of their table and back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore
from monitoring.minute_score import MinuteScore
from serving.storage.instants import from_micros, to_micros
from serving.storage.tables import minute_scores
from serving.storage.upsert import insert

# Fields that are stored unchanged in a column of the same name.
_PLAIN = (
    "kol_id", "comments", "negative", "positive", "excess", "expected_comments",
    "expected_negative_share", "rho_loud", "doubt", "phi", "active", "judged",
    "authors", "top_author_share", "duplicate_share",
)  # fmt: skip


def to_row(minute_score: MinuteScore) -> dict[str, Any]:
    """A row of `minute_scores`; `from_row` reads it back exactly."""
    row = {name: getattr(minute_score, name) for name in _PLAIN}
    row["start"] = to_micros(minute_score.start)
    row["scores"] = {
        score.name: [score.scale_minutes, score.value, score.threshold]
        for score in minute_score.scores
    }
    return row


def from_row(row: RowMapping) -> MinuteScore:
    """The minute score that `to_row` wrote."""
    scores = tuple(
        DetectorScore(name, scale_minutes, value, threshold)
        for name, (scale_minutes, value, threshold) in row["scores"].items()
    )
    plain = {name: row[name] for name in _PLAIN}
    return MinuteScore(start=from_micros(row["start"]), scores=scores, **plain)


async def write_minute_scores(connection: AsyncConnection, found: Sequence[MinuteScore]) -> None:
    """Write what the detectors computed, inside a transaction."""
    if not found:
        return
    statement = insert(connection, minute_scores)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id", "start"],
        set_={column.name: statement.excluded[column.name] for column in minute_scores.c},
    )
    await connection.execute(statement, [to_row(minute_score) for minute_score in found])


async def replace_minute_scores(
    connection: AsyncConnection, kol_id: str, since: int, until: int, found: Sequence[MinuteScore]
) -> None:
    """Make these the minutes of a KOL in [since, until), in minutes since 1970 UTC."""
    await connection.execute(
        delete(minute_scores).where(
            minute_scores.c.kol_id == kol_id,
            minute_scores.c.start >= to_micros(moment_of(since)),
            minute_scores.c.start < to_micros(moment_of(until)),
        )
    )
    await write_minute_scores(connection, found)
