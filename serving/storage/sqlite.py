"""One SQLite file in WAL mode: one writer, and readers beside it."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from serving.errors import StoreError

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # an acknowledged comment survives a power cut
    "busy_timeout=30000",
    "temp_store=MEMORY",
    "cache_size=-16384",
)


class Sqlite:
    """The connections to a SQLite file."""

    def __init__(self, url: URL) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            StoreError: the URL names no file.
        """
        if url.database in {None, "", ":memory:"}:
            raise StoreError("database_url must name a file, for example sqlite:///groundswell.db")
        self._url = url
        self._path = Path(str(url.database))
        self.label = str(self._path)

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
        if not self._path.parent.is_dir():
            raise StoreError(f"the folder of {self._path} does not exist; create it first")
        return create_engine(self._url.set(drivername="sqlite"))

    def _engine(self, begin: str, pool_size: int) -> AsyncEngine:
        engine = create_async_engine(
            self._url.set(drivername="sqlite+aiosqlite"),
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
