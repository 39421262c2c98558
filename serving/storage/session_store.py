"""Sessions: started, used, ended, which deletes them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.people_tables import session_tokens, sessions
from serving.storage.session_record import SessionRecord, TokenRecord

_AT_ONCE = 500


class SessionStore:
    """The tables `sessions` and `session_tokens`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> tuple[list[SessionRecord], list[TokenRecord]]:
        """Every session with the values of its cookie, in the order in which they were made."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(sessions).order_by(sessions.c.created_at))
            records = [
                SessionRecord(
                    row.session_id,
                    row.person_id,
                    row.method,
                    row.address,
                    row.browser,
                    from_micros(row.created_at),
                    from_micros(row.used_at),
                )
                for row in rows
            ]
            tokens = await connection.execute(
                select(session_tokens).order_by(session_tokens.c.issued_at)
            )
            return records, [
                TokenRecord(
                    row.token_hash,
                    row.session_id,
                    from_micros(row.issued_at),
                    optional_from_micros(row.replaced_at),
                )
                for row in tokens
            ]

    async def start(
        self, session: SessionRecord, token: TokenRecord, *, ended: Collection[str]
    ) -> None:
        """Store a session; at once end those that it takes the place of."""
        async with self._database.write() as connection:
            await connection.execute(
                sessions.insert().values(
                    session_id=session.session_id,
                    person_id=session.person_id,
                    method=session.method,
                    address=session.address,
                    browser=session.browser,
                    created_at=to_micros(session.created_at),
                    used_at=to_micros(session.used_at),
                )
            )
            await connection.execute(session_tokens.insert().values(_values(token)))
            await _delete(connection, ended)

    async def add_token(self, token: TokenRecord) -> None:
        """Store one more value of a cookie."""
        async with self._database.write() as connection:
            await connection.execute(session_tokens.insert().values(_values(token)))

    async def replace_tokens(self, token_hashes: Collection[str], at: datetime) -> None:
        """Store that newer values of the cookie are in use."""
        async with self._database.write() as connection:
            await connection.execute(
                update(session_tokens)
                .where(session_tokens.c.token_hash.in_(sorted(token_hashes)))
                .values(replaced_at=to_micros(at))
            )

    async def note_use(self, session_id: str, at: datetime) -> None:
        """Store when a session was last used."""
        async with self._database.write() as connection:
            await connection.execute(
                update(sessions)
                .where(sessions.c.session_id == session_id)
                .values(used_at=to_micros(at))
            )

    async def end(self, session_ids: Collection[str]) -> None:
        """Delete sessions with their tokens."""
        async with self._database.write() as connection:
            await _delete(connection, session_ids)


async def _delete(connection: AsyncConnection, session_ids: Collection[str]) -> None:
    listed = sorted(session_ids)
    for first in range(0, len(listed), _AT_ONCE):
        some = listed[first : first + _AT_ONCE]
        for table in (session_tokens, sessions):
            await connection.execute(delete(table).where(table.c.session_id.in_(some)))


def _values(token: TokenRecord) -> dict[str, object]:
    return {
        "token_hash": token.token_hash,
        "session_id": token.session_id,
        "issued_at": to_micros(token.issued_at),
        "replaced_at": token.replaced_at and to_micros(token.replaced_at),
    }
