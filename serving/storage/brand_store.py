"""Brands, and the KOLs that belong to each."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import NotFound, PreconditionFailed
from serving.storage.access_tables import brand_kols, brands, key_brands
from serving.storage.database import Database
from serving.storage.instants import to_micros
from serving.storage.upsert import insert


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand.

    Attributes:
        name: what it is called.
        kols: ids of its KOLs, as they are now.
    """

    name: str
    kols: frozenset[str]


class BrandStore:
    """The tables `brands` and `brand_kols`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Brand]:
        """Every brand by name."""
        kols: defaultdict[str, set[str]] = defaultdict(set)
        async with self._database.read() as connection:
            names = (await connection.execute(select(brands.c.brand))).scalars().all()
            for name, kol_id in await connection.execute(
                select(brand_kols.c.brand, brand_kols.c.kol_id)
            ):
                kols[name].add(kol_id)
        return [Brand(name, frozenset(kols[name])) for name in sorted(names)]

    async def get(self, name: str) -> Brand:
        """One brand.

        Raises:
            NotFound: there is no such brand.
        """
        found = await self.known([name])
        if not found:
            raise NotFound(f"there is no brand {name!r}; GET /v1/brands lists them")
        return Brand(name, await self.kols_of([name]))

    async def known(self, names: Collection[str]) -> frozenset[str]:
        """Which of these brands there are."""
        statement = select(brands.c.brand).where(brands.c.brand.in_(names))
        async with self._database.read() as connection:
            return frozenset((await connection.execute(statement)).scalars())

    async def kols_of(self, names: Collection[str]) -> frozenset[str]:
        """The KOLs that belong to any of some brands now."""
        statement = select(brand_kols.c.kol_id).where(brand_kols.c.brand.in_(names))
        async with self._database.read() as connection:
            return frozenset((await connection.execute(statement)).scalars())

    async def add(self, name: str, kol_ids: Collection[str], now: datetime) -> None:
        """Add a brand.

        Raises:
            PreconditionFailed: there is one of this name; it is as before.
        """
        async with self._database.write() as connection:
            if not await _insert(connection, name, now):
                raise PreconditionFailed(
                    f"there is a brand {name!r} already; leave If-None-Match out to replace its "
                    "KOLs",
                    etag=None,
                )
            await _set_kols(connection, name, kol_ids)

    async def put(self, name: str, kol_ids: Collection[str], now: datetime) -> None:
        """Add a brand, or replace its KOLs."""
        async with self._database.write() as connection:
            await _insert(connection, name, now)
            await connection.execute(delete(brand_kols).where(brand_kols.c.brand == name))
            await _set_kols(connection, name, kol_ids)

    async def delete(self, name: str) -> None:
        """Delete a brand. Keys that are limited to it stay limited, and see nothing through it,
        also if there is a brand of this name again.
        """
        async with self._database.write() as connection:
            for table in (key_brands, brand_kols, brands):
                await connection.execute(delete(table).where(table.c.brand == name))


async def _insert(connection: AsyncConnection, name: str, now: datetime) -> bool:
    """Insert a brand; False if there is one of this name."""
    # The count of rows is -1 on PostgreSQL here.
    added = await connection.scalar(
        insert(connection, brands)
        .values(brand=name, created_at=to_micros(now))
        .on_conflict_do_nothing()
        .returning(brands.c.brand)
    )
    return added is not None


async def _set_kols(connection: AsyncConnection, name: str, kol_ids: Collection[str]) -> None:
    if kol_ids:
        await connection.execute(
            brand_kols.insert(),
            [{"brand": name, "kol_id": kol_id} for kol_id in sorted(set(kol_ids))],
        )
