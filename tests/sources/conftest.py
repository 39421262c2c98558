"""Fixtures of the tests of sources."""

from collections.abc import Iterator

import pytest

from tests.serving.conftest import empty, new_url, server
from tests.sources.fake_platform import stop_servers

__all__ = ["empty", "new_url", "server"]


@pytest.fixture(scope="session", autouse=True)
def _servers() -> Iterator[None]:
    """The servers of fakes end with the tests."""
    yield
    stop_servers()
