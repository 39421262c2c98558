"""API keys: added, listed, revoked; never deleted."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import RowMapping, Table, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.kol_limit import KolLimit
from serving.storage.access_tables import api_keys, brand_kols, key_brands, key_kols
from serving.storage.database import Database
from serving.storage.import_tables import imports
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.key_record import KeyLimit, KeyRecord
from serving.storage.kol_filter import shares_kol
from serving.storage.record_tables import erasures

_AT_ONCE = 500


class KeyStore:
    """The tables `api_keys`, `key_kols` and `key_brands`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[KeyRecord]:
        """Every key that there ever was, oldest first."""
        statement = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
            return await _records(connection, rows)

    async def page(self, *, before: tuple[datetime, str] | None, limit: int) -> list[KeyRecord]:
        """Keys, newest first.

        Args:
            before: creation and id of the last key of the page before.
            limit: most keys.
        """
        place = (api_keys.c.created_at, api_keys.c.key_id)
        statement = select(api_keys).order_by(*(column.desc() for column in place)).limit(limit)
        if before is not None:
            statement = statement.where(tuple_(*place) < (to_micros(before[0]), before[1]))
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
            return await _records(connection, rows)

    async def add(self, key: KeyRecord) -> None:
        """Store a key."""
        async with self._database.write() as connection:
            await _add(connection, key)

    async def rotate(self, key_id: str, new: KeyRecord, old_expires_at: datetime) -> None:
        """Store the key that replaces another, which expires at an instant, or when it would."""
        async with self._database.write() as connection:
            await _add(connection, new)
            await connection.execute(
                update(api_keys)
                .where(api_keys.c.key_id == key_id)
                .values(expires_at=to_micros(old_expires_at))
            )

    async def revoke(self, key_id: str, actor: str, now: datetime) -> None:
        """Refuse a key from now on; one that was revoked before stays as it was."""
        async with self._database.write() as connection:
            await connection.execute(
                update(api_keys)
                .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_by=actor, revoked_at=to_micros(now))
            )

    async def note_use(self, used: Mapping[str, datetime]) -> None:
        """Store when keys were last used, by id."""
        async with self._database.write() as connection:
            for key_id, at in used.items():
                await connection.execute(
                    update(api_keys)
                    .where(api_keys.c.key_id == key_id)
                    .values(last_used_at=to_micros(at))
                )

    async def limit_of(self, key_id: str) -> KeyLimit:
        """What a limited key is limited to now: brands are deleted and KOLs renamed meanwhile."""
        async with self._database.read() as connection:
            kols = await _linked(connection, key_kols, "kol_id", [key_id])
            brands = await _linked(connection, key_brands, "brand", [key_id])
        return KeyLimit(frozenset(kols[key_id]), frozenset(brands[key_id]))

    async def visible_kols(self, key_id: str) -> frozenset[str]:
        """The KOLs that a limited key may see now: its own and those of its brands."""
        of_brands = (
            select(brand_kols.c.kol_id)
            .join(key_brands, key_brands.c.brand == brand_kols.c.brand)
            .where(key_brands.c.key_id == key_id)
        )
        statement = select(key_kols.c.kol_id).where(key_kols.c.key_id == key_id).union(of_brands)
        async with self._database.read() as connection:
            return frozenset((await connection.execute(statement)).scalars())


async def rename_in_limits(connection: AsyncConnection, kol_id: str, new_id: str) -> None:
    """Give a KOL its new id in brands and in the limits of keys and of what was sent with them,
    inside a transaction.
    """
    for table, owner in ((key_kols, "key_id"), (brand_kols, "brand")):
        owns_it = select(table.c[owner]).where(table.c.kol_id == kol_id)
        await connection.execute(
            delete(table).where(table.c.kol_id == new_id, table.c[owner].in_(owns_it))
        )
        await connection.execute(
            update(table).where(table.c.kol_id == kol_id).values(kol_id=new_id)
        )
    was = KolLimit(frozenset([kol_id]))
    for column in (imports.c.limited_to, erasures.c.kols):
        (key,) = column.table.primary_key
        rows = select(key, column).where(column.is_not(None), *shares_kol(column, was))
        for place, kol_ids in (await connection.execute(rows)).all():
            renamed = sorted({new_id if one == kol_id else one for one in kol_ids})
            await connection.execute(
                update(column.table).where(key == place).values({column.name: renamed})
            )


async def _add(connection: AsyncConnection, key: KeyRecord) -> None:
    await connection.execute(
        api_keys.insert().values(
            key_id=key.key_id,
            secret_hash=key.secret_hash,
            name=key.name,
            scopes=sorted(key.scopes),
            limited=key.limit is not None,
            created_by=key.created_by,
            created_at=to_micros(key.created_at),
            expires_at=None if key.expires_at is None else to_micros(key.expires_at),
            rotated_from=key.rotated_from,
        )
    )
    if key.limit is not None:
        await _link(connection, key_kols, "kol_id", key.key_id, key.limit.kols)
        await _link(connection, key_brands, "brand", key.key_id, key.limit.brands)


async def _link(
    connection: AsyncConnection, table: Table, column: str, key_id: str, names: Iterable[str]
) -> None:
    rows = [{"key_id": key_id, column: name} for name in sorted(names)]
    if rows:
        await connection.execute(table.insert(), rows)


async def _records(connection: AsyncConnection, rows: Collection[RowMapping]) -> list[KeyRecord]:
    limited = [row["key_id"] for row in rows if row["limited"]]
    kols = await _linked(connection, key_kols, "kol_id", limited)
    brands = await _linked(connection, key_brands, "brand", limited)
    return [
        KeyRecord(
            key_id=row["key_id"],
            secret_hash=row["secret_hash"],
            name=row["name"],
            scopes=frozenset(row["scopes"]),
            limit=KeyLimit(frozenset(kols[row["key_id"]]), frozenset(brands[row["key_id"]]))
            if row["limited"]
            else None,
            created_by=row["created_by"],
            created_at=from_micros(row["created_at"]),
            expires_at=optional_from_micros(row["expires_at"]),
            revoked_by=row["revoked_by"],
            revoked_at=optional_from_micros(row["revoked_at"]),
            rotated_from=row["rotated_from"],
            last_used_at=optional_from_micros(row["last_used_at"]),
        )
        for row in rows
    ]


async def _linked(
    connection: AsyncConnection, table: Table, column: str, key_ids: list[str]
) -> defaultdict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, len(key_ids), _AT_ONCE):
        statement = select(table.c.key_id, table.c[column]).where(
            table.c.key_id.in_(key_ids[start : start + _AT_ONCE])
        )
        for key_id, name in await connection.execute(statement):
            found[key_id].append(name)
    return found
