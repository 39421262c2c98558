"""How the posts that alerts name are known to people."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.evidence import Evidence
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.kol_filter import within
from serving.storage.post_record import PostName
from serving.storage.tables import post_kols, posts

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NamedPost:
    """A post as the evidence of an alert has it.

    Attributes:
        kol_id: whose alert.
        post_id: the platform's id; evidence does not say the platform.
    """

    kol_id: str
    post_id: str


PostNames = Mapping[NamedPost, PostName]


class PostNameStore:
    """Looks posts up when a message is written or a page is read, so that a post that is sent
    after its alert has its name as well.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(
        self, evidence: Iterable[tuple[str, Evidence]], visible: KolLimit = EVERY_KOL
    ) -> PostNames:
        """The names of the posts that evidence of KOLs' alerts is about; unknown ones are left out.

        Args:
            evidence: ids of KOLs, each with the evidence of an alert on it.
            visible: posts that none of its KOLs published are left out.
        """
        wanted = {named for kol_id, one in evidence for named in posts_in(kol_id, one)}
        if not wanted:
            return {}
        async with self._database.read() as connection:
            return await post_names(connection, wanted, visible)


def posts_in(kol_id: str, evidence: Evidence) -> list[NamedPost]:
    """The posts that the evidence of an alert names, the one that drives it most first."""
    drivers = evidence.drivers
    if drivers is None:
        return []
    return [NamedPost(kol_id, post.post_id) for post in drivers.posts if post.post_id is not None]


def name_of_top_post(kol_id: str, evidence: Evidence, names: PostNames) -> PostName | None:
    """The name of the post that drives an alert most; None where there is none."""
    drivers = evidence.drivers
    if drivers is None or not drivers.posts or drivers.posts[0].post_id is None:
        return None
    return names.get(NamedPost(kol_id, drivers.posts[0].post_id))


async def post_names(
    connection: AsyncConnection, wanted: Collection[NamedPost], visible: KolLimit = EVERY_KOL
) -> PostNames:
    """The names of posts inside a transaction; unknown posts are left out.

    Two platforms may have posts with one id. The KOL's own is meant, or else the only one.
    """
    found: defaultdict[str, dict[str, PostName]] = defaultdict(dict)
    owners: dict[NamedPost, str] = {}
    ids = sorted({named.post_id for named in wanted})
    same = and_(post_kols.c.platform == posts.c.platform, post_kols.c.post_id == posts.c.post_id)
    for start in range(0, len(ids), _AT_ONCE):
        statement = (
            select(posts.c.platform, posts.c.post_id, posts.c.text, posts.c.url, post_kols.c.kol_id)
            .outerjoin(post_kols, same)
            .where(
                posts.c.post_id.in_(ids[start : start + _AT_ONCE]),
                *within(post_kols.c.kol_id, visible),
            )
            .order_by(posts.c.recorded_at, posts.c.platform)
        )
        for row in await connection.execute(statement):
            found[row.post_id][row.platform] = PostName(row.text, row.url)
            if row.kol_id is not None:
                owners[NamedPost(row.kol_id, row.post_id)] = row.platform
    names = {}
    for named in wanted:
        of_id = found[named.post_id]
        if named in owners:
            names[named] = of_id[owners[named]]
        elif len(of_id) == 1:
            names[named] = next(iter(of_id.values()))
    return names
