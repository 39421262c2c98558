"""A chart that cannot be drawn never keeps its message back."""

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from serving.charts import chart_service
from serving.charts.chart_service import ChartService
from serving.errors import StoreError
from serving.metrics import Metrics
from serving.notify.example import example_chart
from serving.notify.stored_attachments import StoredAttachments
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import WORDS, World, build_channel, notification, transition
from tests.serving.notify.outside import outside
from tests.serving.notify.test_dispatcher import drain


def attachments(
    monkeypatch: pytest.MonkeyPatch, draw: Any, *, seconds: float = 5
) -> StoredAttachments:
    async def chart_of(self: ChartService, alert_id: str, until: Any = None) -> Any:
        if isinstance(draw, StoreError):
            raise draw
        return example_chart(NOW)

    monkeypatch.setattr(ChartService, "chart_of", chart_of)
    monkeypatch.setattr(chart_service, "draw", draw)
    nothing = SimpleNamespace()
    service = ChartService(nothing, nothing, nothing)  # type: ignore[arg-type]
    return StoredAttachments(service, Metrics(CollectorRegistry(), max_kols=1), seconds=seconds)


def failed(found: StoredAttachments) -> float | None:
    labels = {"worker": "charts"}
    return found._metrics.registry.get_sample_value("groundswell_worker_errors_total", labels)


@pytest.mark.parametrize("error", [RuntimeError("no"), MemoryError()])
async def test_a_message_goes_without_a_chart_that_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def draw(*_: object) -> bytes:
        raise error

    charts = attachments(monkeypatch, draw)
    with outside() as servers:
        channel = build_channel(
            "email", f"smtp://127.0.0.1:{servers.mail_port}", attachments=charts,
            to=["pr@example.com"], **{"from": "alerts@example.com"},
        )  # fmt: skip
        await world.commit(transition())
        world.clock.advance(timedelta(seconds=1))
        await drain(world, world.dispatcher({"crm": channel}, timeout=5))
        assert len(servers.arrivals) == 1
    assert await world.states() == ["delivered"]
    assert failed(charts) == 1


async def test_a_chart_that_never_ends_does_not_hold_its_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_go = threading.Event()

    def draw(*_: object) -> bytes:
        let_go.wait(10)
        return b"late"

    charts = attachments(monkeypatch, draw, seconds=0.05)
    assert await charts.of(notification(), WORDS) is None
    assert failed(charts) == 1
    let_go.set()


async def test_a_database_that_fails_is_no_fault_of_the_chart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    charts = attachments(monkeypatch, StoreError("down"))
    with pytest.raises(StoreError):
        await charts.of(notification(), WORDS)
