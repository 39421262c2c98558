"""One database: its connections, its transactions, its schema."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from serving.errors import StoreError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MIGRATIONS = Path(__file__).parent / "migrations"


def to_micros(instant: datetime) -> int:
    """Whole microseconds since 1970 of an aware instant."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC instant of whole microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def instants(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row with its times (`at`, `…_at`, `not_before`) as aware instants, not microseconds."""
    return {
        key: from_micros(value)
        if value is not None and (key in {"at", "not_before"} or key.endswith("_at"))
        else value
        for key, value in row.items()
    }


class Database:
    """Readers beside one writer, on SQLite in WAL mode.

    The writer pool holds one connection, so write transactions of this process queue up in
    order instead of meeting a locked file.
    """

    def __init__(self, url: str) -> None:
        """Prepare the connections; nothing is opened yet.

        Raises:
            StoreError: the URL names no supported database.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise StoreError(
                "database_url cannot be read; write it like sqlite:///groundswell.db"
            ) from None
        if parsed.get_backend_name() != "sqlite":
            raise StoreError(
                f"database_url names {parsed.get_backend_name()!r}; this version stores in SQLite:"
                " sqlite:///groundswell.db"
            )
        if parsed.database in {None, "", ":memory:"}:
            raise StoreError("database_url must name a file, for example sqlite:///groundswell.db")
        self.path = Path(str(parsed.database))
        self.url = parsed.set(drivername="sqlite+aiosqlite")
        self._writer = self._engine("BEGIN IMMEDIATE", pool_size=1)
        self._readers = self._engine("BEGIN", pool_size=4)

    def _engine(self, begin: str, pool_size: int) -> AsyncEngine:
        engine = create_async_engine(self.url, pool_size=pool_size, max_overflow=0, pool_timeout=60)

        @event.listens_for(engine.sync_engine, "connect")
        def _configure(connection: Any, _record: object) -> None:
            connection.isolation_level = None  # transactions begin where we say, not at a DML
            cursor = connection.cursor()
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",  # an acknowledged comment survives a power cut
                "busy_timeout=30000",
                "temp_store=MEMORY",
                "cache_size=-16384",
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def upgrade(self) -> None:
        """Bring the schema to this version's; blocking.

        Raises:
            StoreError: the file cannot be written, is no database, or a newer version wrote it.
        """
        if not self.path.parent.is_dir():
            raise StoreError(f"the folder of {self.path} does not exist; create it first")
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["url"] = self.url.set(drivername="sqlite")
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"{self.path} was written by a newer version of Groundswell: {error}"
            ) from error
        except DBAPIError as error:
            raise StoreError(f"{self.path} cannot be used: {error.orig}") from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One write transaction: committed at the end, rolled back on any error.

        Raises:
            StoreError: the database refused.
        """
        async with _transaction(self._writer) as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One read transaction: a consistent view.

        Raises:
            StoreError: the database refused.
        """
        async with _transaction(self._readers) as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._readers.dispose()


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreError(f"the database refused: {error}") from error
