"""Deletes what people entered about a KOL, inside a transaction."""

from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import Conflict, NotFound
from serving.storage.instants import to_micros
from serving.storage.kol_alias_rows import alias_of, leading_to
from serving.storage.source_tables import sources
from serving.storage.tables import (
    kol_followers,
    kol_handles,
    kols,
    post_counts,
    post_kols,
    posts,
)

_DELETION = "the deletion of its KOL"


async def delete_profile(connection: AsyncConnection, kol_id: str, now: datetime) -> None:
    """Delete the profile of a KOL, and the posts that are of no other. It is archived too.

    Its id stays, for its alerts and the sums of its minutes are kept under it.

    Raises:
        NotFound: there is no such KOL.
        Conflict: it was merged into another.
    """
    if (alias := await alias_of(connection, kol_id)) is not None:
        raise Conflict(f"KOL {kol_id!r} was {alias.kind} into {alias.target!r}; delete that one")
    deleted = {
        "name": None,
        "followers": None,
        "tier": None,
        "relation": None,
        "archived_at": to_micros(now),
        "deleted_at": to_micros(now),
    }
    done = await connection.execute(update(kols).where(kols.c.kol_id == kol_id).values(**deleted))
    if not done.rowcount:
        raise NotFound(f"there is no KOL {kol_id!r}")
    # What brought its comments stops: they are not taken any more.
    await connection.execute(
        update(sources)
        .where(sources.c.kol_id == kol_id, sources.c.paused_at.is_(None))
        .values(paused_at=to_micros(now), paused_by=_DELETION)
    )
    for table in (kol_handles, kol_followers):
        await connection.execute(delete(table).where(table.c.kol_id == kol_id))
    own = (
        select(post_kols.c.platform, post_kols.c.post_id).where(post_kols.c.kol_id == kol_id)
    ).subquery()
    rows = (await connection.execute(select(own))).all()
    await connection.execute(delete(post_kols).where(post_kols.c.kol_id == kol_id))
    for platform, post_id in rows:
        for table in (post_counts, posts):
            await connection.execute(
                delete(table).where(
                    table.c.platform == platform,
                    table.c.post_id == post_id,
                    ~exists().where(
                        post_kols.c.platform == platform, post_kols.c.post_id == post_id
                    ),
                )
            )


async def deleted_kols(connection: AsyncConnection) -> frozenset[str]:
    """The ids of the KOLs that were deleted, and those that lead to them."""
    statement = select(kols.c.kol_id).where(kols.c.deleted_at.is_not(None))
    found = list((await connection.execute(statement)).scalars())
    leading = await leading_to(connection, found)
    return frozenset(found) | {one.kol_id for ones in leading.values() for one in ones}
