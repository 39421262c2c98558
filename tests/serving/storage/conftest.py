"""A database without rows, of either kind."""

from collections.abc import AsyncIterator

import pytest

from serving.storage.database import Database
from tests.serving.conftest import NewUrl


@pytest.fixture
async def database(new_url: NewUrl) -> AsyncIterator[Database]:
    database = Database(new_url())
    yield database
    await database.close()
