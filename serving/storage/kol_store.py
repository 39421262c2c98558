"""The KOLs: who they are, and the engine's last status of each."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.engine import KolStatus
from serving.errors import NotFound
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.engine_state_rows import to_status
from serving.storage.follower_store import FollowerCount, add_counts
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.kol_alias_rows import (
    KolAlias,
    leading_to,
    other_ids,
    resolve,
    visible_aliases,
    visible_leads,
)
from serving.storage.kol_deletion import deleted_kols
from serving.storage.kol_filter import within
from serving.storage.kol_handle_rows import HandleKey, owners, read_handles, write_handles
from serving.storage.tables import engine_states, kol_aliases, kols
from serving.storage.upsert import insert

_AT_ONCE = 500


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
        archived_at: since when it is archived, aware, UTC; None if it is not.
        aliases: former ids of it, and KOLs that were merged into it.
        status: as of its last processed comment; None before the first.
    """

    kol_id: str
    profile: KolProfileRecord
    registered_at: datetime
    duplicates: int
    archived_at: datetime | None
    aliases: tuple[KolAlias, ...]
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

    async def page(
        self,
        *,
        after: str | None,
        limit: int,
        archived: bool = False,
        visible: KolLimit = EVERY_KOL,
    ) -> list[KolRecord]:
        """KOLs by id, those after `after`; archived ones, or else those that are not.

        KOLs that were merged into others are left out.
        """
        archived_at = kols.c.archived_at
        statement = (
            _with_status()
            .where(
                archived_at.is_not(None) if archived else archived_at.is_(None),
                ~is_merged(),
                *within(kols.c.kol_id, visible),
            )
            .order_by(kols.c.kol_id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(kols.c.kol_id > after)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
            return await _kols(connection, rows, visible)

    async def get(self, kol_id: str, visible: KolLimit = EVERY_KOL) -> KolRecord:
        """One KOL.

        Raises:
            NotFound: no KOL of the limit with this id was registered or has comments.
        """
        named = kols.c.kol_id == kol_id, *within(kols.c.kol_id, visible)
        async with self._database.read() as connection:
            found = await connection.execute(_with_status().where(*named))
            kol = await _kols(connection, found.mappings().all(), visible)
        if not kol:
            raise no_kol(kol_id)
        return kol[0]

    async def put(
        self,
        kol_id: str,
        profile: KolProfileRecord,
        now: datetime,
        visible: KolLimit = EVERY_KOL,
    ) -> None:
        """Register a KOL, or replace its profile; its comments and alerts stay.

        Another number of followers is the newest count of the KOL's followers. A KOL that was
        deleted is registered again.

        Raises:
            Conflict: another KOL has one of the handles; one of the limit is named.
        """
        values = {name: getattr(profile, name) for name in ("name", "tier", "relation")}
        former = select(kols.c.followers).where(kols.c.kol_id == kol_id)
        async with self._database.write() as connection:
            followers = await connection.scalar(former)
            await connection.execute(
                insert(connection, kols)
                .values(kol_id=kol_id, registered_at=to_micros(now), **values)
                .on_conflict_do_update(
                    index_elements=["kol_id"],
                    set_=values
                    | {
                        "deleted_at": None,
                        "archived_at": case(
                            (kols.c.deleted_at.is_(None), kols.c.archived_at), else_=None
                        ),
                    },
                )
            )
            await write_handles(connection, kol_id, profile.handles, visible)
            if profile.followers is None:
                cleared = update(kols).where(kols.c.kol_id == kol_id).values(followers=None)
                await connection.execute(cleared)
            elif profile.followers != followers:
                await add_counts(connection, kol_id, [FollowerCount(now, profile.followers)])

    async def visible_leads(
        self, kol_ids: Collection[str], visible: KolLimit = EVERY_KOL
    ) -> dict[str, str]:
        """The KOLs of a limit that ids lead to, by id; see `kol_alias_rows.visible_leads`."""
        async with self._database.read() as connection:
            return await visible_leads(connection, kol_ids, visible)

    async def resolve(self, kol_id: str) -> str:
        """The id of the KOL that an id leads to.

        A former id leads to the present one, that of a merged KOL to the one that it was merged
        into. Any other leads to itself, in its composed form (NFC) if no KOL has it as it is.
        """
        return await self._resolve(kol_id, merged=True)

    async def unmerged(self, kol_id: str) -> str:
        """As `resolve`, but the id of a merged KOL leads to itself: to what is kept under it."""
        return await self._resolve(kol_id, merged=False)

    async def _resolve(self, kol_id: str, *, merged: bool) -> str:
        return (await self.resolve_all([kol_id], merged=merged))[kol_id]

    async def resolve_all(self, kol_ids: Collection[str], *, merged: bool = True) -> dict[str, str]:
        """As `resolve`, for many ids at once; with `merged` False as `unmerged`."""
        registered = (await self.known(kol_ids, [])).registered
        composed = {
            kol_id: kol_id if kol_id in registered else unicodedata.normalize("NFC", kol_id)
            for kol_id in kol_ids
        }
        async with self._database.read() as connection:
            leads = await resolve(connection, set(composed.values()), merged=merged)
        return {kol_id: leads.get(one, one) for kol_id, one in composed.items()}

    async def other_ids(self, kol_id: str) -> frozenset[str]:
        """The ids, beside its own, that a KOL may be named by."""
        async with self._database.read() as connection:
            return (await other_ids(connection, [kol_id]))[kol_id]

    async def known(
        self,
        kol_ids: Collection[str],
        handles: Collection[HandleKey],
        visible: KolLimit = EVERY_KOL,
    ) -> KnownKols:
        """Which of these ids and handles there are, and lead to a KOL of the limit."""
        async with self._database.read() as connection:
            registered = set[str]()
            ids = sorted(kol_ids)
            for start in range(0, len(ids), _AT_ONCE):
                for table in (kols, kol_aliases):
                    some = table.c.kol_id.in_(ids[start : start + _AT_ONCE])
                    found = await connection.execute(select(table.c.kol_id).where(some))
                    registered.update(found.scalars())
            if not visible.is_everything:
                registered &= (await visible_leads(connection, registered, visible)).keys()
            owned = await owners(connection, handles)
        return KnownKols(
            frozenset(registered),
            {handle: kol_id for handle, kol_id in owned.items() if visible.allows(kol_id)},
        )

    async def count(self, visible: KolLimit = EVERY_KOL) -> int:
        """How many KOLs are registered, without those that were merged into others."""
        statement = (
            select(func.count())
            .select_from(kols)
            .where(~is_merged(), *within(kols.c.kol_id, visible))
        )
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0

    async def archive(self, kol_id: str, at: datetime | None) -> None:
        """Archive a KOL, or take it back with None; archived again, it keeps its first time."""
        new = None if at is None else func.coalesce(kols.c.archived_at, to_micros(at))
        async with self._database.write() as connection:
            await connection.execute(
                update(kols).where(kols.c.kol_id == kol_id).values(archived_at=new)
            )

    async def deleted(self) -> frozenset[str]:
        """The ids of the KOLs that were deleted, and those that lead to them."""
        async with self._database.read() as connection:
            return await deleted_kols(connection)

    async def archived(self) -> frozenset[str]:
        """The KOLs that are archived."""
        async with self._database.read() as connection:
            return await archived_kols(connection)


async def archived_kols(connection: AsyncConnection) -> frozenset[str]:
    """The KOLs that are archived, inside a transaction."""
    # An instant is never before 1970; for "is not null" SQLite takes no index.
    statement = select(kols.c.kol_id).where(kols.c.archived_at > 0)
    return frozenset((await connection.execute(statement)).scalars())


def is_merged() -> ColumnElement[bool]:
    """Whether a KOL was merged into another."""
    return select(kol_aliases.c.kol_id).where(kol_aliases.c.kol_id == kols.c.kol_id).exists()


def _with_status() -> Select[Any]:
    return select(kols, engine_states.c.status).outerjoin(
        engine_states, engine_states.c.kol_id == kols.c.kol_id
    )


def no_kol(kol_id: str) -> NotFound:
    """What is raised for a KOL that there is not, or that is not to be seen."""
    return NotFound(f"there is no KOL {kol_id!r}; PUT it, or send a comment for it")


async def _kols(
    connection: AsyncConnection, rows: Sequence[RowMapping], visible: KolLimit
) -> list[KolRecord]:
    ids = [row["kol_id"] for row in rows]
    handles, aliases = await read_handles(connection, ids), await leading_to(connection, ids)
    return [
        _kol(
            row,
            handles.get(row["kol_id"], {}),
            visible_aliases(row["kol_id"], aliases[row["kol_id"]], visible),
        )
        for row in rows
    ]


def _kol(row: RowMapping, handles: Mapping[str, str], aliases: Sequence[KolAlias]) -> KolRecord:
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
        archived_at=optional_from_micros(row["archived_at"]),
        aliases=tuple(aliases),
        status=None if status is None else to_status(status),
    )
