"""Brands in both databases."""

import asyncio

from serving.errors import PreconditionFailed
from serving.storage.brand_store import BrandStore
from serving.storage.database import Database
from tests.serving.conftest import NOW


async def test_of_two_that_add_a_brand_at_once_one_does(database: Database) -> None:
    stores = [BrandStore(database), BrandStore(database)]
    ended = await asyncio.gather(
        *(store.add("acme", [kol], NOW) for store, kol in zip(stores, "ab", strict=True)),
        return_exceptions=True,
    )
    refused = [isinstance(one, PreconditionFailed) for one in ended]
    assert sorted(refused) == [False, True], ended
    assert (await stores[0].get("acme")).kols == {"ab"[refused.index(False)]}
