"""One process writes to a SQLite file; a second one is refused, and a crash leaves no lock."""

import asyncio
import errno
import fcntl
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.cli import main as cli
from serving.errors import StoreError
from serving.storage import writer_lock
from serving.storage.database import Database
from tests.serving.processes import ROOT

_HOLD = """
import asyncio, sys
from serving.storage.database import Database
async def hold():
    await Database(sys.argv[1]).claim()
    print("held", flush=True)
    await asyncio.sleep(600)
asyncio.run(hold())
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds another writer gives up soon."""
    monkeypatch.setattr(writer_lock, "_PATIENCE", 0.2)


@pytest.fixture
def path(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "some.db"))


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that writes to the file."""
    command = [sys.executable, "-c", _HOLD, f"sqlite:///{path}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


async def test_a_second_process_is_refused_until_the_first_has_died(
    path: Path, holder: subprocess.Popen[bytes]
) -> None:
    database = Database(f"sqlite:///{path}")
    with pytest.raises(StoreError, match=rf"another Groundswell \(process {holder.pid} on .*"):
        await database.claim()
    async with database.read() as connection:  # reading is free
        found = await connection.exec_driver_sql("SELECT count(*) FROM comments")
        assert found.scalar() == 0
    holder.send_signal(signal.SIGKILL)
    await asyncio.to_thread(holder.wait)
    await database.claim()
    await database.close()


def test_a_rebuild_beside_a_service_is_refused(
    path: Path, holder: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("rebuild", "upgrade"):
        assert cli.run(["db", command, "--database-url", f"sqlite:///{path}"]) == 1
        assert f"process {holder.pid}" in capsys.readouterr().err


async def test_another_name_of_the_file_is_no_way_around(
    path: Path, holder: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with pytest.raises(StoreError, match=f"process {holder.pid}"):
        await Database(f"sqlite:///{link}").claim()


def test_it_ends_with_the_database(path: Path) -> None:
    async def claim() -> None:
        first = Database(f"sqlite:///{path}")
        await first.claim()
        await first.close()

    asyncio.run(claim())
    command = [sys.executable, "-c", _HOLD, f"sqlite:///{path}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.kill()


async def test_a_file_system_without_locks_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreError, match=r"has no file locks .*PostgreSQL"):
        await Database(f"sqlite:///{path}").claim()


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(StoreError, match=r"there is no database .*'groundswell db upgrade'"):
        async with database.read():
            pass
    await database.close()
    assert not (tmp_path / "a.db").exists()
