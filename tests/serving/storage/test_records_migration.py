"""A database from before comments were unique by KOL, and handles had a table, loses nothing."""

import pytest
from sqlalchemy import JSON, column, table, text

from serving.errors import StoreError
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
from serving.storage.kol_store import KolStore
from tests.serving.conftest import NOW
from tests.serving.storage.test_comment_outcomes import comment
from tests.serving.test_migrations import to_version

HANDLES: dict[str, dict[str, str]] = {
    "lena": {"instagram": "@Lena", "tiktok": "lh"},
    "mina": {"instagram": "LENA", "x": "mina"},
    "zoe": {},
}


async def put_former_kols(database: Database) -> None:
    to_version(database, "0011")
    names = ("kol_id", "followers", "registered_at", "duplicates")
    former = table("kols", column("handles", JSON()), *(column(name) for name in names))
    async with database.write() as connection:
        for (kol_id, handles), followers, at in zip(
            HANDLES.items(), (5, None, 7), (3, 2, 1), strict=True
        ):
            row = {"kol_id": kol_id, "handles": handles, "followers": followers}
            await connection.execute(former.insert().values(**row, registered_at=at, duplicates=0))
    await database.close()


async def test_each_handle_is_given_to_the_kol_that_had_it_first(database: Database) -> None:
    await put_former_kols(database)
    database.upgrade()
    store = KolStore(database)
    found = {kol.kol_id: kol.profile for kol in await store.page(after=None, limit=9)}
    assert {name: dict(profile.handles) for name, profile in found.items()} == {
        "lena": {"tiktok": "lh"},
        "mina": {"instagram": "LENA", "x": "mina"},
        "zoe": {},
    }
    assert [profile.followers for profile in found.values()] == [5, None, 7]


async def test_the_comments_are_kept_and_may_be_of_another_kol_too(database: Database) -> None:
    log = CommentLog(database)
    await log.append([comment("a", comment_id="1"), comment("b", comment_id="2")], NOW)
    before = await log.after(0, 9)
    await database.close()
    to_version(database, "0011")
    database.upgrade()
    assert await log.after(0, 9) == before
    again = [comment("a", comment_id="1"), comment("a", comment_id="1", kol_id="mina")]
    assert await log.append(again, NOW) == ["duplicate", "accepted"]
    assert (await log.after(0, 9))[-1].seq > before[-1].seq


async def test_the_way_back_keeps_the_first_of_a_joint_posts_comments(database: Database) -> None:
    log = CommentLog(database)
    await log.append([comment(kol_id="lena"), comment(kol_id="mina")], NOW)
    await database.close()
    to_version(database, "0011")
    insert = (
        "INSERT INTO comments (platform, comment_id, kol_id, text, created_at, received_at)"
        " VALUES ('x', 'c', 'zoe', 'hi', 0, 0)"
    )
    async with database.read() as connection:
        kols = (await connection.execute(text("SELECT kol_id FROM comments"))).scalars().all()
    assert kols == ["lena"]
    with pytest.raises(StoreError, match=r"(?i)unique"):
        async with database.write() as connection:
            await connection.execute(text(insert))
