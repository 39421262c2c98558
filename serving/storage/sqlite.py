"""One SQLite file in WAL mode: one writer, guarded by a lock file, and readers beside it."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from serving.errors import StoreError
from serving.storage.writer_lock import WriterLock

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # an acknowledged comment survives a power cut
    "busy_timeout=30000",
    "temp_store=MEMORY",
    "cache_size=-16384",
)


class Sqlite:
    """The connections to a SQLite file.

    A connection goes on with a file that was deleted or replaced, and what is written to it then
    is lost. So the file is looked for by its name around every transaction.
    """

    def __init__(self, url: URL) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            StoreError: the URL names no file.
        """
        if url.database in {None, "", ":memory:"}:
            raise StoreError("database_url must name a file, for example sqlite:///groundswell.db")
        self._url = url
        self._path = Path(str(url.database))
        self._lock = WriterLock(self._path)
        self._file: tuple[int, int] | None = None  # device and number, once it was used
        self.label = str(self._path)
        self.file: Path | None = self._path

    def writer(self) -> AsyncEngine:
        """Locks the file when a transaction begins, so that none fails half-way."""
        return self._engine("BEGIN IMMEDIATE", pool_size=1)

    def readers(self) -> AsyncEngine:
        """Each transaction sees the file as it was at its first read."""
        return self._engine("BEGIN", pool_size=4)

    def migrator(self) -> Engine:
        """For changes of the schema; blocking.

        Raises:
            StoreError: the file's folder does not exist.
        """
        self._check_folder()
        return create_engine(self._url.set(drivername="sqlite"))

    def hold(self) -> None:
        """Become the only process that writes; blocking.

        Raises:
            StoreError: another process is, or the folder takes no lock.
        """
        self._check_folder()
        self._lock.take()

    def release(self) -> None:
        """Let another process write."""
        self._lock.give_back()

    def check(self) -> None:
        """Check that the file is still the one that was used before.

        Raises:
            StoreError: it was deleted, moved or replaced.
        """
        try:
            found = os.stat(self._path)  # noqa: PTH116 - of every transaction
        except OSError as error:
            if self._file is None:
                raise StoreError(
                    f"there is no database {self._path} ({error.strerror}); 'groundswell db"
                    " upgrade' creates it"
                ) from None
            raise StoreError(
                f"the database {self._path} is gone ({error.strerror}); nothing is taken until it"
                " is back: move the same file back, or stop the service and restore a backup with"
                " 'groundswell db restore'"
            ) from None
        now = found.st_dev, found.st_ino
        if self._file is None:
            self._file = now
        elif self._file != now:
            raise StoreError(
                f"the database {self._path} was replaced by another file; nothing is taken until"
                " the service is restarted, so that it reads the new one from its beginning"
            )

    def _check_folder(self) -> None:
        if not self._path.parent.is_dir():
            raise StoreError(f"the folder of {self._path} does not exist; create it first")

    def _engine(self, begin: str, pool_size: int) -> AsyncEngine:
        # Never make a file: one that is missing here has vanished.
        name = f"file:{quote(str(self._path.absolute()))}"
        query = {**self._url.query, "mode": "rw", "uri": "true"}
        engine = create_async_engine(
            self._url.set(drivername="sqlite+aiosqlite", database=name, query=query),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=60,
        )

        @event.listens_for(engine.sync_engine, "connect")
        def _configure(connection: Any, _record: object) -> None:
            connection.isolation_level = None  # transactions begin where we say, not at a DML
            cursor = connection.cursor()
            for pragma in _PRAGMAS:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine
