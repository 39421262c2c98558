"""Backs a database up into one file, and restores it.

A backup is a SQLite file, also of a PostgreSQL database: it can be checked, read and served like
any other, and restored into either kind.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import func, select

from serving.errors import StoreError
from serving.storage.database import Database
from serving.storage.database_check import check_database, schema_version
from serving.storage.state_check import REMEDY
from serving.storage.table_copy import copy_tables, empty, is_empty
from serving.storage.tables import comments


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Attributes:
        comments: how many comments.
        last_seq: the place of the last one.
        size: of the file, in bytes.
    """

    comments: int
    last_seq: int
    size: int


async def back_up(database: Database, target: Path) -> Backup:
    """Write a backup and check it; the service may run meanwhile and go on writing.

    The backup is of one moment. The file appears when it is complete and checked. A SQLite file of
    an older version may be backed up too, before it is upgraded.

    Raises:
        StoreError: the database or the target cannot be used, or the copy is not whole.
    """
    _check_free(target)
    partial = _partial(target)
    try:
        if database.file is not None:
            await asyncio.to_thread(_copy_file, database.file, partial)
        else:
            await _copy_rows(database, partial)
        await _check(partial, may_be_older=True)
        await asyncio.to_thread(_seal, partial)
        async with _opened(partial) as copy, copy.read() as connection:
            statement = select(func.count(), func.max(comments.c.seq)).select_from(comments)
            count, last = (await connection.execute(statement)).one()
        await asyncio.to_thread(_seal, partial)
        size = await asyncio.to_thread(_publish, partial, target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{database.label} cannot be backed up to {target}: {error}") from None
    finally:
        _remove(partial)
    return Backup(count, last or 0, size)


async def restore(backup: Path, database: Database, *, replace: bool) -> Backup:
    """Restore a backup after checking it; no service may run on the database.

    Args:
        backup: the file.
        database: where to; a SQLite file that does not exist, or a PostgreSQL database without
            rows.
        replace: delete what is there instead of refusing.

    Raises:
        StoreError: the backup is not whole, the database is in use or holds something.
    """
    _check_places(backup, database.file, replace=replace)
    partial = _partial(database.file or backup)
    try:
        await asyncio.to_thread(_copy_file, backup, partial)
        is_older = await _is_older(partial)
        await asyncio.to_thread(Database(_url(partial)).upgrade)
        await _check(partial, rebuilds=is_older)
        async with _opened(partial) as copy, copy.read() as connection:
            statement = select(func.count(), func.max(comments.c.seq)).select_from(comments)
            count, last = (await connection.execute(statement)).one()
            if database.file is None:
                await database.close()  # a connection that writes would refuse the upgrade
                await asyncio.to_thread(database.upgrade)
                async with database.write() as into:
                    if replace:
                        await empty(into)
                    elif not await is_empty(into):
                        raise StoreError(f"{database.label} has rows; --replace deletes them")
                    await copy_tables(connection, into)
        await asyncio.to_thread(_seal, partial)
        size = await asyncio.to_thread(_put_in_place, partial, database)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{backup} cannot be restored: {error}") from None
    finally:
        _remove(partial)
    return Backup(count, last or 0, size)


def _check_free(target: Path) -> None:
    if target.exists():
        raise StoreError(f"{target} exists already; choose another name")
    if not target.absolute().parent.is_dir():
        raise StoreError(f"the folder of {target} does not exist; create it first")


def _check_places(backup: Path, file: Path | None, *, replace: bool) -> None:
    if not backup.is_file():
        raise StoreError(f"there is no backup {backup}")
    if file is not None and file.exists() and not replace:
        raise StoreError(f"{file} exists; --replace deletes what it holds")


def _publish(partial: Path, target: Path) -> int:
    """Give a finished file its name; returns its size in bytes."""
    os.link(partial, target)  # never over a file that has appeared meanwhile
    _sync_folder(target)
    return target.stat().st_size


def _put_in_place(partial: Path, database: Database) -> int:
    """Make a finished file the database, if that is a file; returns its size in bytes."""
    size = partial.stat().st_size
    if database.file is not None:
        with database.held():
            _remove(database.file, keep=True)  # the log of the former file would be played back
            partial.replace(database.file)
            _sync_folder(database.file)
    return size


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def _url(path: Path) -> str:
    return f"sqlite:///{path.absolute()}"


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Database]:
    database = Database(_url(path))
    try:
        yield database
    finally:
        await database.close()


def _copy_file(source: Path, target: Path) -> None:
    """Copy a SQLite file with what is in its log, as of one moment; writers go on."""
    name = f"file:{quote(str(source.absolute()))}?mode=ro"
    with (
        closing(sqlite3.connect(name, uri=True, timeout=30)) as from_,
        closing(sqlite3.connect(target)) as to,
    ):
        from_.backup(to)
        to.execute("VACUUM")  # without what was deleted


async def _copy_rows(database: Database, target: Path) -> None:
    async with database.read() as source:
        if await schema_version(source) != Database.newest_version():
            raise StoreError(
                f"{database.label} was not written by this version; back it up with the version"
                " that wrote it, or with pg_dump"
            )
    await asyncio.to_thread(Database(_url(target)).upgrade)
    async with database.read() as source, _opened(target) as copy, copy.write() as into:
        await copy_tables(source, into)


async def _check(path: Path, *, may_be_older: bool = False, rebuilds: bool = False) -> None:
    """Check a copy.

    Args:
        path: the file.
        may_be_older: whether its schema may be of an older version.
        rebuilds: whether what a rebuild computes again may be missing: states of an older version
            cannot be read.

    Raises:
        StoreError: it is not whole.
    """
    async with _opened(path) as copy:
        for problem in await check_database(copy, may_be_older=may_be_older):
            if not (rebuilds and problem.endswith(REMEDY)):
                raise StoreError(f"the copy is not whole: {problem}")


async def _is_older(path: Path) -> bool:
    async with _opened(path) as copy, copy.read() as connection:
        return await schema_version(connection) != Database.newest_version()


def _seal(path: Path) -> None:
    """Make it one file, without a log beside it, that is on the disk."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path, *, keep: bool = False) -> None:
    endings = ("-wal", "-shm", "-journal") if keep else ("", "-wal", "-shm", "-journal", ".lock")
    for ending in endings:
        path.with_name(path.name + ending).unlink(missing_ok=True)
