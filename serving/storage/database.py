"""One database: its connections, its transactions, its schema."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from serving.errors import StoreError
from serving.storage.sqlite import Sqlite
from serving.storage.write_mark import current_mark

_MIGRATIONS = Path(__file__).parent / "migrations"
_EXAMPLES = "sqlite:///groundswell.db or postgresql://groundswell@localhost/groundswell"


class DatabaseBackend(Protocol):
    """One kind of database: how connections to it are made.

    Attributes:
        label: which database it is, for people; without its password.
        file: the file that it is; None for one on a server.
    """

    label: str
    file: Path | None

    def writer(self) -> AsyncEngine:
        """A pool of one connection that may write."""
        ...

    def readers(self) -> AsyncEngine:
        """A pool of connections whose transactions each have a consistent view."""
        ...

    def migrator(self) -> Engine:
        """For changes of the schema; blocking.

        Raises:
            StoreError: there is no place for the database.
        """
        ...

    def hold(self) -> None:
        """Become the only process that writes, where connections do not see to that; blocking.

        Raises:
            StoreError: another process is.
        """
        ...

    def release(self) -> None:
        """Let another process write."""
        ...

    def check(self) -> None:
        """Check that connections still lead to the database that is found by its URL.

        Raises:
            StoreError: it is gone or was replaced.
        """
        ...


class Database:
    """Readers beside one writer.

    The writer pool holds one connection, so write transactions of this process queue up in
    order: what has a greater number was committed later.
    """

    def __init__(self, url: str, password_file: Path | None = None) -> None:
        """Prepare the connections; nothing is opened yet.

        Args:
            url: where it is; its beginning says which database.
            password_file: holds the password, for a URL that holds none.

        Raises:
            StoreError: the URL names no supported database, or the file cannot be read.
        """
        self._backend = _backend(url, password_file)
        self.label = self._backend.label
        self._writer = self._backend.writer()
        self._readers = self._backend.readers()
        self._holds = False

    def upgrade(self) -> None:
        """Bring the schema to this version's; blocking.

        Raises:
            StoreError: the database cannot be reached or written, is not one of Groundswell, has
                another writer, or a newer version wrote it.
        """
        engine = self._backend.migrator()
        self._backend.hold()
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["engine"] = engine
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"{self.label} was written by a newer version of Groundswell: {error}"
            ) from error
        except DBAPIError as error:
            raise StoreError(f"{self.label} cannot be used: {error.orig}") from error
        finally:
            engine.dispose()
            if not self._holds:
                self._backend.release()

    @staticmethod
    def newest_version() -> str:
        """The version of the schema that this code reads and writes."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        return str(ScriptDirectory.from_config(config).get_current_head())

    @staticmethod
    def knows_version(version: str) -> bool:
        """Whether this code can upgrade a schema of a version, or has written it."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        try:
            return ScriptDirectory.from_config(config).get_revision(version) is not None
        except CommandError:
            return False

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a database on a server."""
        return self._backend.file

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only process that may write for a while; blocking.

        Raises:
            StoreError: another process is.
        """
        self._backend.hold()
        try:
            yield
        finally:
            self._backend.release()

    async def claim(self) -> None:
        """Become the only writer until closed.

        Raises:
            StoreError: another process is.
        """
        async with self.write():
            pass

    @asynccontextmanager
    async def write(self, *, marked: bool = True) -> AsyncIterator[AsyncConnection]:
        """One write transaction: committed at the end, rolled back on any error.

        Args:
            marked: whether it counts as what the request that is being carried out has changed.

        Raises:
            StoreError: the database refused.
        """
        if not self._holds:
            await asyncio.to_thread(self._backend.hold)
            self._holds = True
        self._backend.check()
        mark = current_mark() if marked else None
        async with _transaction(self._writer) as connection:
            yield connection
            if mark is not None:
                await mark.add_to(connection)
        if mark is not None:
            mark.committed = True
        self._backend.check()  # what went into a file that nobody finds is not acknowledged

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One read transaction: a consistent view.

        Raises:
            StoreError: the database refused.
        """
        self._backend.check()
        async with _transaction(self._readers) as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._readers.dispose()
        self._backend.release()
        self._holds = False


def _backend(url: str, password_file: Path | None) -> DatabaseBackend:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(f"database_url cannot be read; write it like {_EXAMPLES}") from None
    match parsed.get_backend_name():
        case "sqlite":
            return Sqlite(parsed)
        case "postgresql" | "postgres":
            try:
                from serving.storage.postgresql import Postgresql
            except ModuleNotFoundError:
                raise StoreError(
                    'PostgreSQL needs psycopg: pip install "groundswell[postgres]"'
                ) from None
            return Postgresql(parsed, _password(password_file))
        case other:
            raise StoreError(f"database_url names {other!r}; write it like {_EXAMPLES}")


def _password(file: Path | None) -> str | None:
    try:
        return None if file is None else file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"database_password_file cannot be read: {error}") from None


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise StoreError(f"the database refused: {error.orig}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database refused: {error}") from error
