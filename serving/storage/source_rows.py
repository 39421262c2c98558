"""What a batch of a source writes beside its comments, inside the transaction of the log."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.events import Comment
from serving.storage.comment_rows import COMMENT_COLUMNS, to_comment
from serving.storage.comment_writer import write_comments
from serving.storage.follower_store import add_counts
from serving.storage.instants import to_micros
from serving.storage.kol_alias_rows import resolve
from serving.storage.post_writer import existing_posts, write_posts
from serving.storage.source_record import SourceStep, StoredRemoval
from serving.storage.source_tables import source_deliveries, sources
from serving.storage.tables import comments, post_kols
from serving.storage.upsert import insert

_KEPT = timedelta(days=3)  # platforms repeat a delivery for hours, signatures hold for minutes
_AT_ONCE = 500


async def is_repeated(connection: AsyncConnection, step: SourceStep) -> bool:
    """Whether a delivery was committed before; it is noted if it was not."""
    if step.delivery_hash is None:
        return False
    now = to_micros(step.at)
    oldest = to_micros(step.at - _KEPT)
    await connection.execute(delete(source_deliveries).where(source_deliveries.c.at < oldest))
    row = {"source_id": step.source_id, "delivery_hash": step.delivery_hash, "at": now}
    written = await connection.execute(
        insert(connection, source_deliveries)
        .values(**row)
        .on_conflict_do_nothing()
        .returning(source_deliveries.c.at)
    )
    return written.first() is None


async def write_step(connection: AsyncConnection, step: SourceStep, accepted: int) -> None:
    """Write everything of a batch but its comments, which are in the log already.

    Args:
        connection: the transaction.
        step: of the batch.
        accepted: new comments of the batch.
    """
    now = to_micros(step.at)
    await _remove(connection, step.removals, now)
    if step.posts:
        await _write_posts(connection, step, now)
    for kol_id, count in step.followers:
        await add_counts(connection, kol_id, [count])
    of_source = sources.c.source_id == step.source_id
    counted = {
        "success_at": now,
        "accepted": sources.c.accepted + accepted,
        "rejected": sources.c.rejected + step.rejected,
    }
    if accepted:
        counted["comment_at"] = now
    await connection.execute(update(sources).where(of_source).values(**counted))
    if step.cursor is not None:
        same = sources.c.generation == step.generation
        await connection.execute(
            update(sources).where(of_source, same).values(cursor=dict(step.cursor))
        )


async def _write_posts(connection: AsyncConnection, step: SourceStep, now: int) -> None:
    """Write the posts of a batch; of a limited source none that another KOL alone published."""
    known = [(post.platform, post.post_id) for post in step.posts]
    former = await existing_posts(connection, known)
    batch = step.posts
    if step.limited and former:
        kol_ids = {kol_id for post in batch for kol_id in post.kols}
        statement = select(post_kols.c.platform, post_kols.c.post_id).where(
            post_kols.c.post_id.in_({post_id for _, post_id in former}),
            post_kols.c.kol_id.in_(kol_ids),
        )
        own = {(row.platform, row.post_id) for row in await connection.execute(statement)}
        foreign = former.keys() - own
        batch = [post for post in batch if (post.platform, post.post_id) not in foreign]
    await write_posts(connection, batch, former, now)


async def _remove(connection: AsyncConnection, removals: Sequence[StoredRemoval], now: int) -> None:
    """Mark comments as removed; of one that never came, note that it was."""
    for start in range(0, len(removals), _AT_ONCE):
        chunk = removals[start : start + _AT_ONCE]
        named = [
            (comments.c.platform == one.platform) & (comments.c.comment_id == one.comment_id)
            for one in chunk
        ]
        rows = await connection.execute(select(*COMMENT_COLUMNS).where(or_(*named)))
        wanted = {(one.platform, one.comment_id): one for one in chunk}
        leads = await resolve(connection, {one.kol_id for one in chunk if one.kol_id})
        known = [
            comment
            for comment in (to_comment(row) for row in rows.mappings())
            if (kol_id := wanted[comment.platform, comment.comment_id].kol_id) is None
            or comment.kol_id == leads.get(kol_id, kol_id)
        ]
        found = {(one.platform, one.comment_id) for one in known}
        removed = [replace(one, text="", removed=True) for one in known if not one.erased]
        removed += [
            Comment(one.platform, one.comment_id, one.kol_id, "", one.at, removed=True)
            for key, one in wanted.items()
            if key not in found and one.kol_id is not None
        ]
        await write_comments(connection, removed, now)
