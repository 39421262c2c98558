"""A PostgreSQL database: one writer, guarded by a lock, and readers beside it."""

from contextlib import closing
from pathlib import Path
from typing import Any

from psycopg.errors import LockNotAvailable
from psycopg.types.string import StrDumper
from sqlalchemy import URL, Column, Engine, NullPool, create_engine, event
from sqlalchemy.dialects.postgresql.base import PGTypeCompiler
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from serving.errors import StoreError

# Defaults of libpq's options, which the URL can change. A dead connection is noticed in a minute.
_LIBPQ = {
    "application_name": "groundswell",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
_LOCK = 0x67726F756E64  # of this application, in its database
_CLAIM = (
    # The server, too, notices within a minute that the holder of the lock is gone.
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
    "SET lock_timeout = '5s'",  # a session that has just ended may still be there
    f"SELECT pg_advisory_lock({_LOCK})",
    "SET lock_timeout = '30s'",  # whoever locks a table for longer gets an error here, not a stop
)


class Postgresql:
    """The connections to a PostgreSQL database, by psycopg 3.

    Whoever writes holds an advisory lock in its session, so there is one writer: places in the log
    come in the order of the commits, and two services on one database by mistake do not mix. With
    the connection the lock is lost, and with the next one it is taken again or writing fails.
    """

    def __init__(self, url: URL, password: str | None) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: where; what libpq knows may stand behind its `?`.
            password: for a URL that holds none; None leaves it to libpq (`PGPASSWORD`, `.pgpass`).
        """
        if password is not None and url.password is None:
            url = url.set(password=password)
        self._url = url.set(drivername="postgresql+psycopg")
        self.file: Path | None = None
        self.label = url.set(query={}).render_as_string(hide_password=True)
        self._more = {name: value for name, value in _LIBPQ.items() if name not in url.query}

    def writer(self) -> AsyncEngine:
        """One connection, which holds the lock."""
        engine = self._engine(1)
        event.listen(engine.sync_engine, "connect", self._claim)
        return engine

    def readers(self) -> AsyncEngine:
        """Each transaction sees the database as it was at its first read."""
        return self._engine(
            4,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
        )

    def migrator(self) -> Engine:
        """For changes of the schema; blocking. Holds the lock while it is connected."""
        engine = create_engine(self._url, poolclass=NullPool, connect_args=self._more)
        engine.dialect.type_compiler_instance = _ByBytes(engine.dialect)
        event.listen(engine, "connect", self._claim)
        return engine

    def hold(self) -> None:
        """Nothing to do: the writer's connection takes the lock."""

    def release(self) -> None:
        """Nothing to do: the lock ends with the writer's connection."""

    def check(self) -> None:
        """Nothing to do: a server does not lose a database that has connections."""

    def _engine(self, pool_size: int, **more: Any) -> AsyncEngine:
        engine = create_async_engine(
            self._url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=60,
            pool_pre_ping=True,  # after the server was restarted, old connections are not tried
            connect_args=self._more,
            **more,
        )

        @event.listens_for(engine.sync_engine, "connect")
        def _configure(connection: Any, _record: object) -> None:
            connection.adapters.register_dumper(str, _WithoutNul)

        return engine

    def _claim(self, connection: Any, _record: object) -> None:
        try:
            with closing(connection.cursor()) as cursor:
                for statement in _CLAIM:
                    cursor.execute(statement)
            connection.commit()
        except BaseException as error:
            connection.close()
            if isinstance(error, LockNotAvailable):
                raise StoreError(
                    f"another Groundswell writes to {self.label}; stop it first, or give each"
                    " service a database of its own"
                ) from None
            raise


class _WithoutNul(StrDumper):
    """Text with NUL as U+FFFD, as what is stored has it; PostgreSQL would not even compare it."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))


class _ByBytes(PGTypeCompiler):
    """Types of columns whose text compares and sorts by its bytes, as it does in SQLite.

    A database's own collation would depend on where it runs, and change with that system's
    updates, which breaks indexes.
    """

    def visit_VARCHAR(self, type_: Any, **more: Any) -> str:  # noqa: N802 - SQLAlchemy's name
        return self._by_bytes(super().visit_VARCHAR(type_, **more), more)

    def visit_TEXT(self, type_: Any, **more: Any) -> str:  # noqa: N802 - SQLAlchemy's name
        return self._by_bytes(super().visit_TEXT(type_, **more), more)

    def _by_bytes(self, text: str, more: dict[str, Any]) -> str:
        of_column = isinstance(more.get("type_expression"), Column)
        return f'{text} COLLATE "C"' if of_column else text
