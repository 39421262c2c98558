"""The KOLs: who they are, and the engine's last status of each."""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, select, update

from monitoring.engine import KolStatus
from serving.errors import NotFound
from serving.storage.database import Database
from serving.storage.engine_state_rows import to_status
from serving.storage.follower_store import FollowerCount, add_counts
from serving.storage.instants import from_micros, to_micros
from serving.storage.kol_handle_rows import HandleKey, owners, read_handles, write_handles
from serving.storage.tables import engine_states, kols
from serving.storage.upsert import insert


@dataclass(frozen=True, slots=True)
class KolProfileRecord:
    """The profile of a KOL; None for what nobody entered.

    Attributes:
        name: as people write it.
        handles: the KOL's handle on each platform.
        followers: how many, over all platforms, as of the newest count.
        tier: "nano", "micro", "mid", "macro" or "mega".
        relation: "in_house" or "partner".
    """

    name: str | None = None
    handles: Mapping[str, str] = field(default_factory=dict)
    followers: int | None = None
    tier: str | None = None
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class KolRecord:
    """A KOL that was registered, by hand or by its first comment.

    Attributes:
        kol_id: its id.
        profile: what people entered about it.
        registered_at: when it was registered, aware, UTC.
        duplicates: comments that were sent again.
        status: as of its last processed comment; None before the first.
    """

    kol_id: str
    profile: KolProfileRecord
    registered_at: datetime
    duplicates: int
    status: KolStatus | None


@dataclass(frozen=True, slots=True)
class KnownKols:
    """What comments may name KOLs by.

    Attributes:
        registered: ids that KOLs were registered with, whatever their characters.
        handles: platform and key of a handle → id of its KOL.
    """

    registered: frozenset[str] = frozenset()
    handles: Mapping[HandleKey, str] = field(default_factory=dict)


class KolStore:
    """The `kols` table beside the engine's last status of each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, *, after: str | None, limit: int) -> list[KolRecord]:
        """KOLs by id, those after `after`."""
        statement = _with_status().order_by(kols.c.kol_id).limit(limit)
        if after is not None:
            statement = statement.where(kols.c.kol_id > after)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
            handles = await read_handles(connection, [row["kol_id"] for row in rows])
        return [_kol(row, handles.get(row["kol_id"], {})) for row in rows]

    async def get(self, kol_id: str) -> KolRecord:
        """One KOL.

        Raises:
            NotFound: no KOL with this id was registered or has comments.
        """
        async with self._database.read() as connection:
            found = await connection.execute(_with_status().where(kols.c.kol_id == kol_id))
            row = found.mappings().one_or_none()
            handles = await read_handles(connection, [kol_id])
        if row is None:
            raise NotFound(f"there is no KOL {kol_id!r}; PUT it, or send a comment for it")
        return _kol(row, handles.get(kol_id, {}))

    async def put(self, kol_id: str, profile: KolProfileRecord, now: datetime) -> None:
        """Register a KOL, or replace its profile; its comments and alerts stay.

        Another number of followers is the newest count of the KOL's followers.

        Raises:
            Conflict: another KOL has one of the handles.
        """
        values = {name: getattr(profile, name) for name in ("name", "tier", "relation")}
        former = select(kols.c.followers).where(kols.c.kol_id == kol_id)
        async with self._database.write() as connection:
            followers = await connection.scalar(former)
            await connection.execute(
                insert(connection, kols)
                .values(kol_id=kol_id, registered_at=to_micros(now), **values)
                .on_conflict_do_update(index_elements=["kol_id"], set_=values)
            )
            await write_handles(connection, kol_id, profile.handles)
            if profile.followers is None:
                cleared = update(kols).where(kols.c.kol_id == kol_id).values(followers=None)
                await connection.execute(cleared)
            elif profile.followers != followers:
                await add_counts(connection, kol_id, [FollowerCount(now, profile.followers)])

    async def resolve(self, kol_id: str) -> str:
        """The id that a KOL is registered with.

        It is the given one, or else the composed form (NFC) of it, whether there is such a KOL or
        not.
        """
        known = await self.known([kol_id], [])
        return kol_id if kol_id in known.registered else unicodedata.normalize("NFC", kol_id)

    async def known(self, kol_ids: Collection[str], handles: Collection[HandleKey]) -> KnownKols:
        """Which of these ids and handles there are."""
        async with self._database.read() as connection:
            statement = select(kols.c.kol_id).where(kols.c.kol_id.in_(kol_ids))
            registered = (await connection.execute(statement)).scalars() if kol_ids else ()
            return KnownKols(frozenset(registered), await owners(connection, handles))

    async def count(self) -> int:
        """How many KOLs are registered."""
        async with self._database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(kols)) or 0


def _with_status() -> Select[Any]:
    return select(kols, engine_states.c.status).outerjoin(
        engine_states, engine_states.c.kol_id == kols.c.kol_id
    )


def _kol(row: RowMapping, handles: Mapping[str, str]) -> KolRecord:
    status = row["status"]
    return KolRecord(
        kol_id=row["kol_id"],
        profile=KolProfileRecord(
            name=row["name"],
            handles=handles,
            followers=row["followers"],
            tier=row["tier"],
            relation=row["relation"],
        ),
        registered_at=from_micros(row["registered_at"]),
        duplicates=row["duplicates"],
        status=None if status is None else to_status(status),
    )
