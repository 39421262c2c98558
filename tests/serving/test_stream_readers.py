"""Many readers of the stream: each gets every event once and in order, and reads are shared."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi.sse import format_sse_event

from model.classifier import SentimentClassifier
from monitoring.events import Comment
from serving.access.principal import Principal, PrincipalKind
from serving.access.scope import Scope
from serving.api.stream import stream
from serving.app import create_app
from serving.clock import TestClock
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.pipeline import stream_feed
from serving.pipeline.broadcast import Broadcast
from serving.pipeline.stream_feed import StreamFeed
from serving.service import Service
from serving.settings import Settings
from serving.storage.alert_record import AlertEventRecord
from serving.storage.alert_store import AlertStore
from serving.storage.step_store import StepStore
from tests.serving.conftest import NOW
from tests.serving.streams import storm

_READERS = 500
_KOLS = [f"kol-{number}" for number in range(10)]


@pytest.fixture
async def service(
    empty: Path, tmp_path: Path, classifier: SentimentClassifier
) -> AsyncIterator[Service]:
    path = shutil.copy(empty, tmp_path / "readers.db")
    settings = Settings(database_url=f"sqlite:///{path}", _env_file=None)
    app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
    async with app.router.lifespan_context(app):
        yield app.state.service


def principal(kols: KolLimit = EVERY_KOL) -> Principal:
    return Principal(PrincipalKind.KEY, "k", "tool", frozenset({Scope.READ}), kols)


async def read(service: Service, until: int, kols: KolLimit = EVERY_KOL, **asked: Any) -> list[Any]:
    """The alert events of one stream, up to the end of so many alerts."""
    found, ended = [], 0
    async for event in stream(service, principal(kols), **{"kol_id": None, **asked}):
        if event.event == "alert":
            found.append(json.loads(event.raw_data or ""))
            ended += found[-1]["reason"] == "resolved"
            if ended == until:
                break
    return found


async def send(service: Service) -> None:
    """More than 8,000 comments on ten KOLs; each has one alert, which opens and ends."""
    items = [item for kol_id in _KOLS for item in storm(kol_id, NOW - timedelta(days=2))]
    comments = [
        Comment(**item | {"created_at": datetime.fromisoformat(item["created_at"])})
        for item in items
    ]
    assert len(comments) > 8000
    for first in range(0, len(comments), 1000):
        await service.group_commit.append(comments[first : first + 1000])
        service.pipeline.wake()


async def test_500_readers_share_one_read_of_each_step(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Counter[str]()
    events_after = AlertStore.events_after

    async def counted(self: AlertStore, event_id: int, *, limit: int) -> list[AlertEventRecord]:
        reads["events"] += 1
        return await events_after(self, event_id, limit=limit)

    monkeypatch.setattr(AlertStore, "events_after", counted)
    first = service.pipeline.progress.step
    readers = [
        asyncio.create_task(read(service, len(_KOLS), last_event_id=0)) for _ in range(_READERS)
    ]
    mine = asyncio.create_task(read(service, 1, KolLimit(frozenset({"kol-3"})), last_event_id=0))
    one = asyncio.create_task(read(service, 1, kol_id="kol-4", last_event_id=0))
    await asyncio.sleep(0)
    await send(service)
    received = await asyncio.wait_for(asyncio.gather(*readers), 120)
    steps = service.pipeline.progress.step - first
    stored = [event.event_id for event in await events_after(service.alerts, 0, limit=1000)]
    everything = [event["event_id"] for event in received[0]]
    assert len(everything) >= 2 * len(_KOLS)
    assert everything == stored[: len(everything)]
    assert all(events == received[0] for events in received)
    assert {event["kol_id"] for event in await mine} == {"kol-3"}
    assert {event["kol_id"] for event in await one} == {"kol-4"}
    assert reads["events"] <= steps + 20  # not 500 times that
    # Who comes late, or is slow, reads what it has missed by itself.
    late = await asyncio.wait_for(read(service, len(_KOLS), last_event_id=0), 10)
    assert late == received[0]


async def test_the_moods_of_a_step_are_one_item_of_many_events(service: Service) -> None:
    events = stream(service, principal(), kol_id=None)
    following = asyncio.create_task(anext(events))
    await asyncio.sleep(0)
    at = NOW - timedelta(minutes=1)
    await service.group_commit.append(
        [Comment("x", f"{kol}-1", kol, "love it", at, post_id=None) for kol in _KOLS]
    )
    service.pipeline.wake()
    item = await asyncio.wait_for(following, 10)
    sent = format_sse_event(data_str=item.raw_data, event=item.event, id=item.id).decode()
    assert sent.endswith("}\n\n")
    moods = sent.removesuffix("\n\n").split("\n\n")
    assert all(one.startswith('event: mood\ndata: {"kol_id":"kol-') for one in moods)
    shown = [json.loads(one.split("data: ", 1)[1])["kol_id"] for one in moods]
    assert sorted(shown) == sorted(_KOLS)


class AlertEvents:
    """Alert events that a test changes."""

    def __init__(self) -> None:
        self.stored: list[Any] = []

    async def last_event_id(self) -> int:
        return self.stored[-1].event_id if self.stored else 0

    async def events_after(self, event_id: int, *, limit: int) -> list[Any]:
        return [event for event in self.stored if event.event_id > event_id][:limit]


async def test_what_was_erased_is_soon_sent_to_nobody_also_if_nothing_new_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alerts, written = AlertEvents(), Broadcast()
    feed = StreamFeed(
        cast("AlertStore", alerts),
        cast("StepStore", None),
        written,
        last_step=lambda: 0,
        mood_interval=1,
    )
    assert await feed.events(0) == []
    alerts.stored = [SimpleNamespace(event_id=1, evidence="what mallory wrote")]
    written.notify()
    assert [one.record.evidence for one in await feed.events(0)] == ["what mallory wrote"]
    alerts.stored = [SimpleNamespace(event_id=1, evidence="")]
    monkeypatch.setattr(stream_feed, "_KEPT", 0.0)
    assert [one.record.evidence for one in await feed.events(0)] == [""]
