"""Erasures and retention when something fails, or two run at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from model.classifier import SentimentClassifier
from serving.access.principal import LOCAL
from serving.api.entity_tag import IfMatch
from serving.api.erasures import delete_kol
from serving.app import create_app
from serving.clock import TestClock
from serving.errors import StoreError
from serving.kol_limit import EVERY_KOL
from serving.metrics import Metrics
from serving.pipeline.eraser import Eraser
from serving.pipeline.retention import RetentionPeriods, RetentionWorker
from serving.service import Service
from serving.settings import Settings
from serving.storage.erasure_record import Erasure
from serving.storage.erasure_store import ErasureStore
from serving.storage.kol_store import KolProfileRecord
from serving.storage.retention_store import RetentionStore
from tests.serving.conftest import NOW


@pytest.fixture
async def service(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock
) -> AsyncIterator[Service]:
    app = create_app(settings, classifier=classifier, clock=clock)
    async with app.router.lifespan_context(app):
        yield app.state.service


async def test_a_deletion_that_fails_leaves_another_as_it_is(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ErasureStore.delete_kol

    async def delete(self: ErasureStore, kol_id: str, actor: str, now: datetime) -> Erasure:
        if kol_id == "lena":
            raise StoreError("no")
        return await real(self, kol_id, actor, now)

    monkeypatch.setattr(ErasureStore, "delete_kol", delete)
    for kol_id in ("lena", "mina"):
        await service.kols.put(kol_id, KolProfileRecord(), NOW, EVERY_KOL)
    async with service.pipeline.paused():  # a step is under way
        deletions = []
        for kol_id in ("lena", "mina"):
            deletions.append(asyncio.create_task(delete_kol(kol_id, service, LOCAL, IfMatch(None))))
            await asyncio.sleep(0.05)
    lena, mina = await asyncio.gather(*deletions, return_exceptions=True)
    assert isinstance(lena, StoreError)
    assert not isinstance(mina, BaseException)
    assert service.group_commit.deleted_kols == await service.kols.deleted() == {"mina"}


class Expiring(RetentionStore):
    """Finds one row each time."""

    async def expire_alerts(self, _before: datetime) -> int:
        return 1


@pytest.mark.parametrize("error", [RuntimeError("no"), StoreError("no")])
async def test_an_erasure_that_fails_every_time_does_not_stop_retention(
    service: Service, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_self: Eraser) -> int:
        raise error

    monkeypatch.setattr(Eraser, "finish", fail)
    metrics = Metrics(CollectorRegistry(), max_kols=1)
    worker = RetentionWorker(
        periods=RetentionPeriods(alerts=timedelta(days=1)),
        store=Expiring(cast("Any", None)),
        erasures=service.erasures,
        eraser=service.eraser,
        hasher=cast("Any", NothingToHash()),
        pipeline=service.pipeline,
        clock=service.clock,
        metrics=metrics,
    )
    assert await worker.step()
    value = metrics.registry.get_sample_value
    assert value("groundswell_expired_total", {"table": "alerts"}) == 1
    unexpected = value("groundswell_worker_errors_total", {"worker": "retention"})
    assert bool(unexpected) == isinstance(error, RuntimeError)


class NothingToHash:
    """Has hashed every id."""

    async def is_due(self) -> bool:
        return False

    async def advance(self, _now: datetime) -> bool:
        return False
