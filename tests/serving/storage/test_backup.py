"""Backups of a running database are whole and of one moment; a restore gives everything back."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from serving.cli import main as cli
from serving.clock import TestClock
from serving.errors import StoreError
from serving.storage.backup import back_up, restore
from serving.storage.database import Database
from serving.storage.database_check import check_database
from serving.storage.tables import comments, engine_snapshots, minutes, progress
from tests.serving.conftest import NewUrl
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.postgres import PostgresServer
from tests.serving.streams import storm
from tests.serving.test_migrations import to_version

START = datetime(2026, 3, 1, tzinfo=UTC)
CLOCK = TestClock(START + timedelta(days=2))


@pytest.fixture
async def world(new_url: NewUrl) -> AsyncIterator[PipelineWorld]:
    database = Database(new_url())
    world = PipelineWorld(database, CLOCK)
    await world.receive(storm("lena", START))
    await process_all(world.pipeline())
    yield world
    await database.close()


async def test_a_restored_database_is_the_one_that_was_backed_up(
    world: PipelineWorld, tmp_path: Path, server: PostgresServer
) -> None:
    expected = await world.derived()
    assert expected["alerts"]
    item = storm("mina", START)[0]
    await world.receive([item])
    last = await world.log.last_seq()
    async with world.database.write() as connection:  # its place is not given again
        await connection.execute(delete(comments).where(comments.c.seq == last))
    async with world.database.write() as connection:
        done = await back_up(world.database, tmp_path / "backup.db")  # beside a writer
        await connection.execute(update(minutes).values(comments=0))
    assert done.comments == len(storm("lena", START))
    name = server.create()
    for url in (f"sqlite:///{tmp_path}/restored.db", server.url(name)):
        database = Database(url)
        again = await restore(tmp_path / "backup.db", database, replace=False)
        assert (again.comments, again.last_seq) == (done.comments, done.last_seq)
        restored = PipelineWorld(database, CLOCK)
        assert await restored.derived() == expected
        assert await check_database(database) == []
        await restored.receive([item])
        assert await restored.log.last_seq() > last
        pipeline = restored.pipeline()
        await pipeline.start()
        await pipeline.stop()
        await process_all(pipeline)
        await database.close()
        database = Database(url)
        with pytest.raises(StoreError, match="--replace deletes"):
            await restore(tmp_path / "backup.db", database, replace=False)
        await restore(tmp_path / "backup.db", database, replace=True)
        assert await PipelineWorld(database, CLOCK).derived() == expected
        await database.close()
    server.drop(name)


async def test_a_check_finds_what_does_not_belong_together(world: PipelineWorld) -> None:
    assert await check_database(world.database) == []
    async with world.database.write() as connection:
        await connection.execute(update(engine_snapshots).values(snapshot=b"garbage"))
        one = select(minutes.c.start).limit(1).scalar_subquery()
        await connection.execute(
            update(minutes).where(minutes.c.start == one).values(negative=minutes.c.negative + 1)
        )
        await connection.execute(delete(comments).where(comments.c.seq == 3))
    problems = await check_database(world.database)
    assert len(problems) == 3
    assert "1 rows of scores belong to no row of comments" in problems[0]
    assert "the state of KOL 'lena' cannot be read" in problems[1]
    assert "the sums of the minutes of KOL 'lena'" in problems[2]
    assert all("'groundswell db rebuild'" in problem for problem in problems)
    async with world.database.write() as connection:
        await connection.execute(delete(progress))
    assert (
        "how far the comments have been processed is missing"
        in (await check_database(world.database))[0]
    )


def test_the_commands(empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, url = str(tmp_path / "b.db"), ["--database-url", f"sqlite:///{empty}"]
    new = ["--database-url", f"sqlite:///{tmp_path}/new.db"]
    assert cli.run(["db", "backup", file, *url]) == 0
    assert "holds 0 comments" in capsys.readouterr().err
    assert cli.run(["db", "backup", file, *url]) == 1
    assert "exists already; choose another name" in capsys.readouterr().err
    assert cli.run(["db", "restore", file, *new]) == 0
    assert cli.run(["db", "restore", file, *new]) == 1
    assert "--replace" in capsys.readouterr().err
    assert cli.run(["db", "restore", file, "--replace", *new]) == 0
    assert cli.run(["db", "check", *new]) == 0
    with sqlite3.connect(tmp_path / "new.db") as connection:
        connection.execute("INSERT INTO scores VALUES (7, 0, 0, 0, 0, 'words')")
    connection.close()
    assert cli.run(["db", "check", *new]) == 1
    assert "belong to no row of comments" in capsys.readouterr().err
    broken = ["--database-url", f"sqlite:///{tmp_path}/other.db"]
    assert cli.run(["db", "restore", str(tmp_path / "new.db"), *broken]) == 1
    assert "the copy is not whole" in capsys.readouterr().err
    (tmp_path / "garbage").write_text("garbage" * 1000)
    assert cli.run(["db", "restore", str(tmp_path / "garbage"), *broken]) == 1
    assert "cannot be restored: file is not a database" in capsys.readouterr().err
    assert not (tmp_path / "other.db").exists()
    assert not list(tmp_path.glob(".*partial*"))


async def test_a_database_is_backed_up_before_its_upgrade_and_restored_after_it(
    world: PipelineWorld, tmp_path: Path
) -> None:
    expected = await world.derived()
    async with world.database.write() as connection:  # of a version that had other states
        await connection.execute(update(engine_snapshots).values(snapshot=b"older"))
    await world.database.close()
    older = Database(world.database._backend._url.render_as_string(hide_password=False))
    await asyncio.to_thread(to_version, older, "0023")
    if older.file is None:
        with pytest.raises(StoreError, match="with pg_dump"):
            await back_up(older, tmp_path / "backup.db")
        await older.close()
        return
    done = await back_up(older, tmp_path / "backup.db")
    await older.close()
    assert done.comments == len(storm("lena", START))
    database = Database(f"sqlite:///{tmp_path}/restored.db")
    await restore(tmp_path / "backup.db", database, replace=False)
    assert (await PipelineWorld(database, CLOCK).derived())["alerts"] == expected["alerts"]
    (problem,) = await check_database(database)
    assert "db rebuild" in problem
    await database.close()


def test_a_database_of_a_newer_version_is_not_backed_up(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "newer.db"
    path.write_bytes(empty.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    file = str(tmp_path / "b.db")
    assert cli.run(["db", "backup", file, "--database-url", f"sqlite:///{path}"]) == 1
    assert "its schema has the version 9999" in capsys.readouterr().err


def test_a_damaged_file_is_found_and_not_backed_up(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(empty.read_bytes())
    for page in range(3, 40, 2):
        data[4096 * page : 4096 * page + 2000] = b"\xff" * 2000
    path = tmp_path / "damaged.db"
    path.write_bytes(data)
    assert cli.run(["db", "check", "--database-url", f"sqlite:///{path}"]) == 1
    assert "damaged" in capsys.readouterr().err
    file = str(tmp_path / "b.db")
    assert cli.run(["db", "backup", file, "--database-url", f"sqlite:///{path}"]) == 1
    assert not Path(file).exists()
