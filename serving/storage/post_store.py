"""The posts that people sent, with their KOLs and their counts over time."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import Forbidden, NotFound
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.comment_update import CommentOutcome
from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.kol_alias_rows import other_ids, resolve
from serving.storage.post_record import PostCounts, PostKind, PostRecord, SentPost
from serving.storage.post_writer import NUMBERS, existing_posts, write_posts
from serving.storage.tables import post_counts, post_kols, posts

_published = func.coalesce(posts.c.created_at, posts.c.recorded_at)
_SAME = and_(post_kols.c.platform == posts.c.platform, post_kols.c.post_id == posts.c.post_id)


@dataclass(frozen=True, slots=True)
class PostKey:
    """Where a list of posts goes on: after the post that these are of.

    Attributes:
        published: when it was published, or else first sent, in microseconds.
        platform: its platform.
        post_id: its id.
    """

    published: int
    platform: str
    post_id: str


class PostStore:
    """The `posts`, `post_kols` and `post_counts` tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, batch: Sequence[SentPost], now: datetime, visible: KolLimit = EVERY_KOL
    ) -> list[CommentOutcome]:
        """Add posts, or what is new of them, in one transaction; their KOLs are registered.

        Returns:
            For each post whether it is new, brings something new, or nothing.

        Raises:
            Forbidden: one of them is there, and no KOL of the limit published it.
        """
        async with self._database.write() as connection:
            former = await existing_posts(
                connection, ((post.platform, post.post_id) for post in batch)
            )
            owned = set(former)
            if not visible.is_everything:
                owned &= (await _owners(connection, {key[1] for key in former}, visible)).keys()
            for post in batch:
                if (key := (post.platform, post.post_id)) in former and key not in owned:
                    raise Forbidden(
                        f"the post {post.post_id!r} of {post.platform} may not be sent with this"
                    )
            return await write_posts(connection, batch, former, to_micros(now))

    async def get(self, platform: str, post_id: str, visible: KolLimit = EVERY_KOL) -> PostRecord:
        """One post; of a joint post, the KOLs of the limit.

        Raises:
            NotFound: nobody sent it for a KOL of the limit.
        """
        statement = _with_counts().where(posts.c.platform == platform, posts.c.post_id == post_id)
        async with self._database.read() as connection:
            found = await _posts(connection, statement, visible)
        if not found:
            raise NotFound(f"there is no post {post_id!r} of {platform}; POST it to /v1/posts")
        return found[0]

    async def counts(self, platform: str, post_id: str, *, limit: int) -> list[PostCounts]:
        """The latest readings of a post's counts, oldest first."""
        statement = (
            select(post_counts)
            .where(post_counts.c.platform == platform, post_counts.c.post_id == post_id)
            .order_by(post_counts.c.at.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_counts(row) for row in reversed(rows)]

    async def page(
        self,
        kol_id: str,
        *,
        before: PostKey | None,
        limit: int,
        visible: KolLimit = EVERY_KOL,
    ) -> list[PostRecord]:
        """Posts of a KOL and of those that were merged into it, last published first."""
        keys = (_published, posts.c.platform, posts.c.post_id)
        statement = (
            _with_counts()
            .order_by(_published.desc(), posts.c.platform, posts.c.post_id)
            .limit(limit)
        )
        if before is not None:
            earlier, same = keys[0] < before.published, keys[0] == before.published
            later_name = or_(
                keys[1] > before.platform,
                and_(keys[1] == before.platform, keys[2] > before.post_id),
            )
            statement = statement.where(or_(earlier, and_(same, later_name)))
        async with self._database.read() as connection:
            own = {kol_id} | (await other_ids(connection, [kol_id]))[kol_id]
            of_kol = select(post_kols.c.kol_id).where(_SAME, post_kols.c.kol_id.in_(own))
            # Found by this, with an index; the same id may be another post of another platform.
            ids = select(post_kols.c.post_id).where(post_kols.c.kol_id.in_(own))
            found = statement.where(posts.c.post_id.in_(ids), of_kol.correlate(posts).exists())
            return await _posts(connection, found, visible)


def key_of(post: PostRecord) -> PostKey:
    """Where a list goes on after a post."""
    published = to_micros(post.created_at or post.recorded_at)
    return PostKey(published, post.platform, post.post_id)


def _with_counts() -> Select[Any]:
    """Posts with their newest reading."""
    newest = (
        select(func.max(post_counts.c.at))
        .where(post_counts.c.platform == posts.c.platform, post_counts.c.post_id == posts.c.post_id)
        .correlate(posts)
        .scalar_subquery()
    )
    numbers = (post_counts.c[name] for name in ("at", *NUMBERS))
    return select(posts, *numbers).outerjoin(
        post_counts,
        and_(
            post_counts.c.platform == posts.c.platform,
            post_counts.c.post_id == posts.c.post_id,
            post_counts.c.at == newest,
        ),
    )


async def _posts(
    connection: AsyncConnection, statement: Select[Any], visible: KolLimit
) -> list[PostRecord]:
    rows = (await connection.execute(statement)).mappings().all()
    owners = await _owners(connection, {row["post_id"] for row in rows}, visible)
    return [
        _post(row, sorted(owners.get(key, ())))
        for row in rows
        if (key := (row["platform"], row["post_id"])) in owners or visible.is_everything
    ]


async def _owners(
    connection: AsyncConnection, post_ids: Collection[str], visible: KolLimit
) -> dict[tuple[str, str], set[str]]:
    """The KOLs of the limit that published posts, by platform and id; other posts are left out.

    In place of one that was merged and is not of the limit comes the KOL that it was merged into.
    """
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    statement = select(post_kols).where(post_kols.c.post_id.in_(post_ids))
    rows = (await connection.execute(statement)).all()
    hidden = {row.kol_id for row in rows if not visible.allows(row.kol_id)}
    leads = await resolve(connection, hidden)
    for row in rows:
        kol_id = leads.get(row.kol_id, row.kol_id) if row.kol_id in hidden else row.kol_id
        if visible.allows(kol_id):
            found[row.platform, row.post_id].add(kol_id)
    return found


def _post(row: RowMapping, kol_ids: Sequence[str]) -> PostRecord:
    return PostRecord(
        platform=row["platform"],
        post_id=row["post_id"],
        kols=tuple(kol_ids),
        text=row["text"],
        url=row["url"],
        created_at=optional_from_micros(row["created_at"]),
        kind=None if row["kind"] is None else PostKind(row["kind"]),
        recorded_at=from_micros(row["recorded_at"]),
        counts=None if row["at"] is None else _counts(row),
    )


def _counts(row: RowMapping) -> PostCounts:
    return PostCounts(from_micros(row["at"]), **{name: row[name] for name in NUMBERS})
