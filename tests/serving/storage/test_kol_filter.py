"""Conditions that keep a query within the KOLs of a limit, on both databases."""

import pytest
from sqlalchemy import ColumnElement, select

from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.kol_filter import is_within, shares_kol, within
from serving.storage.tables import kols, silences
from tests.serving.conftest import NewUrl

NAMED = [["lena"], ["lena", "zoe"], ["zoe"], ['it\'s "mina" \\ é'], None]


@pytest.mark.parametrize(
    ("ids", "sharing", "only"),
    [
        (None, [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ([], [], [4]),
        (["lena"], [0, 1], [0, 4]),
        (["lena", "zoe", "nobody"], [0, 1, 2], [0, 1, 2, 4]),
        (['it\'s "mina" \\ é'], [3], [3, 4]),
    ],
)
async def test_conditions(
    new_url: NewUrl, ids: list[str] | None, sharing: list[int], only: list[int]
) -> None:
    visible = EVERY_KOL if ids is None else KolLimit(frozenset(ids))
    database = Database(new_url())
    more = {"starts_at": 0, "ends_at": 0, "reason": "", "created_by": "", "created_at": 0}
    try:
        async with database.write() as connection:
            for number, named in enumerate(NAMED):
                row = {"silence_id": number, "kols": named} | more
                await connection.execute(silences.insert().values(**row))
                for kol_id in named or ():
                    row = {"kol_id": kol_id, "registered_at": 0}
                    if number != 1:
                        await connection.execute(kols.insert().values(**row))
        async with database.read() as connection:

            async def found(conditions: tuple[ColumnElement[bool], ...]) -> list[int]:
                statement = select(silences.c.silence_id).where(*conditions)
                order = statement.order_by(silences.c.silence_id)
                return list((await connection.execute(order)).scalars())

            assert await found(shares_kol(silences.c.kols, visible)) == sharing
            assert await found(is_within(silences.c.kols, visible)) == only
            rows = await connection.execute(
                select(kols.c.kol_id).where(*within(kols.c.kol_id, visible))
            )
            everyone = {"lena", "zoe", 'it\'s "mina" \\ é'}
            assert set(rows.scalars()) == (everyone if ids is None else everyone & set(ids))
    finally:
        await database.close()
