"""What settings must agree with for as long as the database lives."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.tables import stored_facts

AUTHOR_KEY = "author_key"  # a check value of the key that author ids are hashed with


async def read_fact(connection: AsyncConnection, name: str) -> str | None:
    """A fact by its name, inside a transaction; None if it was never stored."""
    statement = select(stored_facts.c.value).where(stored_facts.c.name == name)
    found: str | None = await connection.scalar(statement)
    return found


async def write_fact(connection: AsyncConnection, name: str, value: str) -> None:
    """Store a fact that was not known before, inside a transaction."""
    await connection.execute(stored_facts.insert().values(name=name, value=value))
