"""Readings as rows of their table and back."""

from typing import Any

from sqlalchemy import RowMapping

from monitoring.evidence import DetectorScore
from monitoring.reading import Reading
from serving.storage.database import from_micros, to_micros

# Fields that stand in a column of the same name as they are.
_PLAIN = (
    "kol_id", "comments", "negative", "positive", "excess", "expected_comments",
    "expected_negative_share", "rho_loud", "doubt", "phi", "active", "judged",
)  # fmt: skip


def to_row(reading: Reading) -> dict[str, Any]:
    """A row of `readings`; `from_row` reads it back exactly."""
    row = {name: getattr(reading, name) for name in _PLAIN}
    row["start"] = to_micros(reading.start)
    row["scores"] = {
        score.name: [score.scale_minutes, score.value, score.threshold] for score in reading.scores
    }
    return row


def from_row(row: RowMapping) -> Reading:
    """The reading that `to_row` wrote."""
    scores = tuple(
        DetectorScore(name, scale_minutes, value, threshold)
        for name, (scale_minutes, value, threshold) in row["scores"].items()
    )
    plain = {name: row[name] for name in _PLAIN}
    return Reading(start=from_micros(row["start"]), scores=scores, **plain)
