"""Copies every row from one database to another of the same schema; of either kind."""

from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import Connection, Table, delete, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from serving import storage
from serving.errors import StoreError
from serving.storage.schema import metadata

_AT_ONCE = 500
_VERSION = "alembic_version"


def tables() -> list[Table]:
    """Every table of the schema, in whichever module it is defined."""
    for module in iter_modules(storage.__path__):
        if module.name.endswith("tables"):
            import_module(f"{storage.__name__}.{module.name}")
    return metadata.sorted_tables


async def copy_tables(source: AsyncConnection, target: AsyncConnection) -> dict[str, int]:
    """Copy all rows, and where each table goes on counting.

    Args:
        source: a transaction that sees one moment.
        target: a transaction on a database whose tables are empty.

    Returns:
        How many rows of each table were copied.

    Raises:
        StoreError: there is a table that this version does not know, or a row did not arrive.
    """
    known = {table.name for table in tables()} | {_VERSION}
    if unknown := set(await source.run_sync(_names)) - known:
        raise StoreError(f"the tables {', '.join(sorted(unknown))} are not known to this version")
    counts = {}
    for table in tables():
        copied = 0
        rows = await source.stream(select(table).order_by(*table.primary_key.columns))
        async for part in rows.mappings().partitions(_AT_ONCE):
            await target.execute(table.insert(), [dict(row) for row in part])
            copied += len(part)
        arrived = await target.scalar(select(func.count()).select_from(table))
        if arrived != copied:
            raise StoreError(f"{arrived} of {copied} rows of {table.name} were copied")
        counts[table.name] = copied
        await _copy_counter(source, target, table)
    return counts


async def is_empty(connection: AsyncConnection) -> bool:
    """Whether no table has a row."""
    for table in tables():
        if (await connection.execute(select(table.c[0]).limit(1))).first() is not None:
            return False
    return True


async def empty(connection: AsyncConnection) -> None:
    """Delete all rows of all tables."""
    for table in reversed(tables()):
        await connection.execute(delete(table))


def _names(connection: Connection) -> list[str]:
    return [name for name in inspect(connection).get_table_names() if name != "sqlite_sequence"]


async def _copy_counter(source: AsyncConnection, target: AsyncConnection, table: Table) -> None:
    """Have the target count up from where the source is, so that no place is given twice."""
    column = table.autoincrement_column
    if column is None:
        return
    reached = await _counter(source, table, column.name)
    if not reached:
        return
    if target.dialect.name == "sqlite":
        for statement in (
            "DELETE FROM sqlite_sequence WHERE name = :name",
            "INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)",
        ):
            await target.execute(text(statement), {"name": table.name, "seq": reached})
    else:
        statement = "SELECT setval(pg_get_serial_sequence(:name, :column), :seq)"
        named = {"name": table.name, "column": column.name, "seq": reached}
        await target.execute(text(statement), named)


async def _counter(source: AsyncConnection, table: Table, column: str) -> int:
    """The greatest number that a table has given; 0 if it gave none."""
    if source.dialect.name == "sqlite":
        statement = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        found = await source.scalar(statement, {"name": table.name})
        return int(found or await source.scalar(select(func.max(table.c[column]))) or 0)
    statement = text(
        "SELECT last_value FROM pg_sequences WHERE format('%I.%I', schemaname, sequencename)"
        " = pg_get_serial_sequence(:name, :column)"
    )
    found = await source.scalar(statement, {"name": table.name, "column": column})
    return int(found or 0)
