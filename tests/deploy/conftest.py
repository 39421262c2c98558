"""One real Alertmanager and one receiver of its webhooks for all tests of this folder."""

from collections.abc import Iterator

import httpx
import pytest

from tests.deploy import daemons
from tests.deploy.daemons import AlertReceiver


@pytest.fixture(scope="session")
def receiver() -> Iterator[AlertReceiver]:
    with daemons.receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def alertmanager(
    receiver: AlertReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("alertmanager")
    with daemons.alertmanager(folder, daemons.committed_routes(), receiver) as client:
        yield client
