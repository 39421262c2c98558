"""How connections to an SQLite file are set up."""

import shutil
from pathlib import Path

import pytest

from serving.storage.database import Database

FULL = 2


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("synchronous", FULL),  # an acknowledged comment survives a power cut
        ("journal_mode", "wal"),
        ("busy_timeout", 30_000),
    ],
)
async def test_every_connection_is_durable_and_waits_its_turn(
    tmp_path: Path, empty: Path, pragma: str, value: object
) -> None:
    database = Database(f"sqlite:///{shutil.copy(empty, tmp_path / 'some.db')}")
    found = []
    for transaction in (database.write, database.read):
        async with transaction() as connection:
            found.append((await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar())
    await database.close()
    assert found == [value, value]
