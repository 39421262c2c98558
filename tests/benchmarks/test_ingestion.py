"""The benchmark of ingestion measures a service that took everything."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from benchmarks import ingestion


@pytest.mark.parametrize("size", [1, 500])
def test_every_comment_is_taken_and_processed(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.db"
    acknowledged, processed = asyncio.run(ingestion.run(f"sqlite:///{path}", 120, size))
    assert acknowledged >= processed > 0
    with closing(sqlite3.connect(path)) as database:
        for table in ("comments", "scores"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (120,)


def test_comments_come_in_the_order_of_their_time_from_every_kol() -> None:
    items = ingestion.comments(2 * ingestion.KOLS)
    instants = [datetime.fromisoformat(item["created_at"]) for item in items]
    assert instants == sorted(set(instants))
    assert len({item["comment_id"] for item in items}) == len(items)
    assert len({item["kol_id"] for item in items}) == ingestion.KOLS
