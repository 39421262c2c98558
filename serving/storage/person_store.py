"""People who may sign in: added, changed, disabled; never deleted."""

from collections import defaultdict

from sqlalchemy import Executable, RowMapping, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import Conflict
from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.people_tables import people, person_brands, session_tokens, sessions
from serving.storage.person_record import PersonRecord, name_key


class PersonStore:
    """The tables `people` and `person_brands`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[PersonRecord]:
        """Everybody, also who is disabled; who was added first comes first."""
        statement = select(people).order_by(people.c.created_at, people.c.person_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
            brands: defaultdict[str, set[str]] = defaultdict(set)
            for person_id, brand in await connection.execute(
                select(person_brands.c.person_id, person_brands.c.brand)
            ):
                brands[person_id].add(brand)
        return [_record(row, frozenset(brands[row["person_id"]])) for row in rows]

    async def add(self, person: PersonRecord) -> None:
        """Store a new person.

        Raises:
            Conflict: somebody else has their e-mail address, name or id at the provider.
        """
        async with self._database.write() as connection:
            await _insist(connection, people.insert().values(_values(person)), person)
            await _set_brands(connection, person)

    async def replace(self, person: PersonRecord, *, ends_sessions: bool = False) -> None:
        """Store what a person is from now on.

        Args:
            person: as they are now.
            ends_sessions: delete their sessions too, in the same transaction: a kill between the
                two would leave whoever knew the old password signed in.

        Raises:
            Conflict: somebody else has their e-mail address, name or id at the provider.
        """
        statement = (
            update(people).where(people.c.person_id == person.person_id).values(_values(person))
        )
        async with self._database.write() as connection:
            await _insist(connection, statement, person)
            await connection.execute(
                delete(person_brands).where(person_brands.c.person_id == person.person_id)
            )
            await _set_brands(connection, person)
            if ends_sessions:
                await _delete_sessions(connection, person.person_id)


async def _insist(connection: AsyncConnection, statement: Executable, person: PersonRecord) -> None:
    try:
        await connection.execute(statement)
    except IntegrityError:
        raise Conflict(
            f"somebody else has the e-mail address {person.email!r} or the name {person.name!r}",
        ) from None


async def _set_brands(connection: AsyncConnection, person: PersonRecord) -> None:
    rows = [{"person_id": person.person_id, "brand": one} for one in sorted(person.brands or ())]
    if rows:
        await connection.execute(person_brands.insert(), rows)


async def _delete_sessions(connection: AsyncConnection, person_id: str) -> None:
    own = select(sessions.c.session_id).where(sessions.c.person_id == person_id)
    await connection.execute(delete(session_tokens).where(session_tokens.c.session_id.in_(own)))
    await connection.execute(delete(sessions).where(sessions.c.person_id == person_id))


def _values(person: PersonRecord) -> dict[str, object]:
    return {
        "person_id": person.person_id,
        "email": person.email,
        "name": person.name,
        "name_key": name_key(person.name),
        "role": person.role,
        "limited": person.brands is not None,
        "password_hash": person.password_hash,
        "password_expires_at": person.password_expires_at and to_micros(person.password_expires_at),
        "issuer": person.issuer,
        "subject": person.subject,
        "created_by": person.created_by,
        "created_at": to_micros(person.created_at),
        "disabled_by": person.disabled_by,
        "disabled_at": person.disabled_at and to_micros(person.disabled_at),
        "signed_in_at": person.signed_in_at and to_micros(person.signed_in_at),
    }


def _record(row: RowMapping, brands: frozenset[str]) -> PersonRecord:
    return PersonRecord(
        person_id=row["person_id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        brands=brands if row["limited"] else None,
        created_by=row["created_by"],
        created_at=from_micros(row["created_at"]),
        password_hash=row["password_hash"],
        password_expires_at=optional_from_micros(row["password_expires_at"]),
        issuer=row["issuer"],
        subject=row["subject"],
        disabled_by=row["disabled_by"],
        disabled_at=optional_from_micros(row["disabled_at"]),
        signed_in_at=optional_from_micros(row["signed_in_at"]),
    )
