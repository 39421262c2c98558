"""What was carried out for requests with an idempotency key."""

from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.access_tables import keyed_requests
from serving.storage.database import Database
from serving.storage.instants import from_micros, to_micros
from serving.storage.keyed_request_record import KeyedRequestRecord, StoredAnswer
from serving.storage.upsert import insert

_AT_ONCE = 200
_OF_A_PRINCIPAL = 10_000  # rows that are kept; the oldest go first


class KeyedRequestStore:
    """The `keyed_requests` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, request_id: str) -> KeyedRequestRecord | None:
        """A request that was carried out; None if none was."""
        statement = select(keyed_requests).where(keyed_requests.c.request_id == request_id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _to_record(row)

    async def save(self, record: KeyedRequestRecord) -> None:
        """Store a request with its answer, or complete one that was marked before."""
        async with self._database.write() as connection:
            await mark_request(connection, record)
            answer = record.answer
            await connection.execute(
                update(keyed_requests)
                .where(keyed_requests.c.request_id == record.request_id)
                .values(
                    fingerprint=record.fingerprint,
                    status=None if answer is None else answer.status,
                    headers=None if answer is None else dict(answer.headers),
                    body=None if answer is None else answer.body,
                )
            )


async def mark_request(connection: AsyncConnection, record: KeyedRequestRecord) -> None:
    """Store a request without its answer inside a transaction; nothing if it is there.

    The oldest request of the same principal is deleted where it has too many.
    """
    added = await connection.execute(
        insert(connection, keyed_requests)
        .values(
            request_id=record.request_id,
            principal=record.principal,
            operation=record.operation,
            fingerprint=record.fingerprint,
            limited_to=record.limited_to,
            at=to_micros(record.at),
        )
        .on_conflict_do_nothing(index_elements=[keyed_requests.c.request_id])
    )
    if not added.rowcount:
        return
    of_principal = keyed_requests.c.principal == record.principal
    oldest = await connection.scalar(
        select(keyed_requests.c.place)
        .where(of_principal)
        .order_by(keyed_requests.c.place.desc())
        .offset(_OF_A_PRINCIPAL)
        .limit(1)
    )
    if oldest is not None:
        await connection.execute(
            delete(keyed_requests).where(of_principal, keyed_requests.c.place <= oldest)
        )


async def drop_answers(connection: AsyncConnection, after: int) -> tuple[int, bool]:
    """Take the answers out of some requests, inside a transaction; repeats are still recognised.

    Args:
        connection: of the transaction.
        after: only requests after this place.

    Returns:
        The place up to which there is none left, and whether that is the last.
    """
    statement = (
        select(keyed_requests.c.place)
        .where(keyed_requests.c.place > after)
        .order_by(keyed_requests.c.place)
        .limit(_AT_ONCE)
    )
    places = list((await connection.execute(statement)).scalars())
    if places:
        await connection.execute(
            update(keyed_requests)
            .where(keyed_requests.c.place.in_(places))
            .values(status=None, headers=None, body=None)
        )
    return (places[-1] if places else after), len(places) < _AT_ONCE


def _to_record(row: Row[*tuple[Any, ...]]) -> KeyedRequestRecord:
    answer = None if row.body is None else StoredAnswer(row.status, row.headers, bytes(row.body))
    return KeyedRequestRecord(
        request_id=row.request_id,
        principal=row.principal,
        operation=row.operation,
        fingerprint=row.fingerprint,
        limited_to=row.limited_to,
        at=from_micros(row.at),
        answer=answer,
    )
