"""Workers go on after an unexpected exception, and one that ended is reported."""

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncConnection

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.notify.workers.periodic import PeriodicWorker
from serving.settings import Settings
from serving.storage.outbox import WrittenDelivery
from tests.serving.notify.conftest import World

CHANNELS = """
[channels.room]
type = "slack"
url = "https://hooks.slack.com/services/T/B/x"
[channels.phone]
type = "slack"
url = "https://hooks.slack.com/services/T/B/y"
[[routes]]
channels = ["room", "phone"]
"""


class Stumbling(PeriodicWorker):
    """Fails in an unexpected way in its first rounds."""

    name = "stumbling"
    rounds = 0

    async def is_due(self, connection: AsyncConnection) -> bool:
        self.rounds += 1
        if self.rounds < 3:
            raise ZeroDivisionError
        return False

    async def write(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        return []


async def test_a_periodic_worker_continues_after_an_unexpected_exception(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.notify.workers.periodic._POLL", 0.01)
    worker = Stumbling(world.database, world.outbox, world.metrics)
    await worker.start()
    async with asyncio.timeout(10):
        while worker.rounds < 4:
            await asyncio.sleep(0.01)
    assert worker.alive
    labels = {"worker": "stumbling"}
    counted = world.metrics.registry.get_sample_value("groundswell_worker_errors_total", labels)
    assert counted == 2
    await worker.stop()
    assert not worker.alive


@pytest.mark.parametrize("channel", ["room", "phone"])
def test_a_dispatcher_of_which_a_lane_ended_is_reported(
    channel: str,
    settings: Settings,
    classifier: SentimentClassifier,
    clock: TestClock,
    tmp_path: Path,
) -> None:
    path = tmp_path / "channels.toml"
    path.write_text(CHANNELS)
    settings = settings.model_copy(update={"channels": path})
    app = create_app(settings, classifier=classifier, clock=clock)
    with TestClient(app) as client:
        assert client.get("/readyz").status_code == 200
        assert _up(client)["dispatcher"] == 1
        assert client.portal is not None
        client.portal.call(_end_lane, app, channel)
        ready = client.get("/readyz")
        assert ready.status_code == 200  # comments are taken and judged all the same
        down = [name for name, runs in ready.json()["workers"].items() if not runs]
        assert down == ["dispatcher"]
        assert [name for name, up in _up(client).items() if not up] == ["dispatcher"]
        status = client.get("/v1/status").json()
        assert status["alive"] is True
        assert status["notices"] == ["the worker dispatcher has stopped; restart the service"]


async def _end_lane(app: FastAPI, channel: str) -> None:
    task = app.state.service.dispatcher._lanes[channel].task
    task.cancel()
    await asyncio.wait([task])


def _up(client: TestClient) -> dict[str, float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    (found,) = (family for family in families if family.name == "groundswell_worker_up")
    return {sample.labels["worker"]: sample.value for sample in found.samples}
