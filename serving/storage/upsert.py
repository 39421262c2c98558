"""INSERT … ON CONFLICT, which both databases have, but SQLAlchemy builds differently for each."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT into a table, for the database that a connection leads to.

    Beside what every INSERT has it knows `on_conflict_do_nothing`, `on_conflict_do_update` and
    `excluded`.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
