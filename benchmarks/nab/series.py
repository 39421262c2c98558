"""Reads five Twitter-volume series of the Numenta Anomaly Benchmark and their windows."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

FOLDER = Path(__file__).parents[2].parent / "shared" / "nab"
Windows = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One series.

    Attributes:
        name: file name without extension, such as "Twitter_volume_AAPL".
        minutes: time of each row, in minutes since 1970 UTC.
        values: number of mentions in five minutes.
        windows: first and last row of each labelled anomaly, in order.
    """

    name: str
    minutes: tuple[int, ...]
    values: tuple[int, ...]
    windows: Windows


def load(folder: Path = FOLDER) -> list[Series]:
    """Read all series of a folder, in order of name.

    Raises:
        FileNotFoundError: the folder has no windows.json.
        ValueError: a window starts or ends at a time without a row.
    """
    labels = json.loads((folder / "windows.json").read_text())
    found = []
    for name, spans in sorted(labels.items()):
        table = pq.read_table(folder / f"{name}.parquet")
        times = [time.replace(tzinfo=UTC) for time in table["timestamp"].to_pylist()]
        rows = {time: row for row, time in enumerate(times)}
        try:
            windows = tuple((rows[_time(first)], rows[_time(last)]) for first, last in spans)
        except KeyError as error:
            raise ValueError(
                f"{name}: a window starts or ends at {error.args[0]}, which has no row"
            ) from error
        minutes = tuple(int(time.timestamp()) // 60 for time in times)
        found.append(Series(name, minutes, tuple(table["value"].to_pylist()), windows))
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
