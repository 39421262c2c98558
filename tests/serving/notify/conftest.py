"""Transitions of alerts, and a database with an outbox."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from monitoring.alerts import AlertEvent
from monitoring.audience import Audience
from monitoring.drivers import Drivers, PostDriver, Sample
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, Reason, Severity
from serving.clock import TestClock
from serving.locales.wording import wording
from serving.metrics import Metrics
from serving.notify.attachments import Attachments, NoAttachments
from serving.notify.channels.base import Channel
from serving.notify.channels.registry import ChannelContext, channel_types
from serving.notify.config.configured_channel import ConfiguredChannel
from serving.notify.dispatcher import Dispatcher
from serving.notify.notification import Notification
from serving.notify.outbox import NotificationOutbox
from serving.notify.routing.routes import Route
from serving.outgoing.transport import outgoing_client
from serving.storage.database import Database
from serving.storage.delivery_record import Delivery
from serving.storage.delivery_store import DeliveryFilter, DeliveryStore
from serving.storage.outbox import WrittenDelivery
from serving.storage.pipeline_step import PipelineStep
from serving.storage.step_store import StepStore
from tests.serving.conftest import NOW, NewUrl
from tests.serving.late import rederive

WORDS = wording()


def sample(text: str, offensive: float | None) -> Sample:
    return Sample("instagram", "c", "p9", "a", text, 0.9, offensive, 3, "2026-03-10T11:30:00+00:00")


DRIVERS = Drivers(
    posts=(PostDriver("p9", 1100, 700.0, 154.0, 546.0),),
    terms=(),
    representative=(
        sample("my face\nburns, you LIAR", 0.1),
        sample("what the fuuuck is this sh1t", 0.9),
        sample("hidden insult without a word we know", 0.9),
        sample("refund @everyone <!channel>", None),
        sample("a fourth that there is no room for", 0.0),
    ),
    most_liked=(),
    audience=Audience(1001, 0.01, 0.04, 0.2, None, 0.03, "organic", ()),
    offensive_share=None,
    languages=(),
    platforms=(),
)
EVIDENCE = Evidence(
    window_start=datetime(2026, 3, 10, 11, 20, tzinfo=UTC),
    window_end=datetime(2026, 3, 10, 11, 50, tzinfo=UTC),
    incident_start=datetime(2026, 3, 10, 11, 20, tzinfo=UTC),
    comments=1240,
    negative=756.4,
    expected_comments=38.2,
    expected_negative_share=0.14,
    volume_ratio=32.5,
    scores=(),
    drivers=DRIVERS,
    summary="Negative comments on @lena jumped to 61% (756 of 1240).",
)


def notification(**change: Any) -> Notification:
    values: dict[str, Any] = {
        "key": "a1-opened-1-crm",
        "alert_id": "a1",
        "kol_id": "lena",
        "kol_name": "Lena Vane",
        "kind": "backlash",
        "severity": "critical",
        "reason": "opened",
        "at": NOW - timedelta(minutes=10),
        "opened_at": NOW - timedelta(minutes=10),
        "evidence": EVIDENCE,
        "public_url": "https://pr.example.com/",
    }
    return Notification(**values | change)


def transition(reason: str = "opened", **change: Any) -> AlertEvent:
    at = change.pop("at", NOW)
    start = at - timedelta(minutes=30)
    evidence = Evidence(start, at, start, 100, 60.0, 20.0, 0.1, 5.0, (), None, "It turned.")
    kind = AlertKind(change.pop("kind", "backlash"))
    severity = Severity(change.pop("severity", "warning"))
    values = {"alert_id": "a1", "kol_id": "lena", "kind": kind, "severity": severity}
    return AlertEvent(**values | change, reason=Reason(reason), at=at, evidence=evidence)


def build_channel(
    name: str,
    url: str,
    *,
    http: httpx.AsyncClient | None = None,
    clock: TestClock | None = None,
    secret: str = "",
    attachments: Attachments | None = None,
    **settings: Any,
) -> Channel:
    """A channel of a type as a channels file configures it."""
    channel_type = channel_types()[name]
    spec = channel_type.spec.model_validate({"type": name, "url": url, **settings})
    configured = ConfiguredChannel(channel_type, spec, url, secret)
    context = ChannelContext(
        http or outgoing_client(configured.rules, seconds=10),
        configured.rules,
        clock or TestClock(NOW),
        attachments or NoAttachments(),
    )
    return configured.build(context)


@dataclass
class World:
    """An outbox on a database of its own, with every part in hand."""

    database: Database
    clock: TestClock
    routes: Sequence[Route] = (Route(("crm",)),)
    stateful_receivers: frozenset[str] = frozenset()
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry(), max_kols=10))

    def __post_init__(self) -> None:
        self.store = DeliveryStore(self.database)
        self.committed: list[tuple[str, str]] = []

    @property
    def outbox(self) -> NotificationOutbox:
        return NotificationOutbox(
            self.routes,
            self.clock,
            max_age=timedelta(hours=24),
            late_page_within=timedelta(hours=2),
            on_commit=self._on_commit,
            stateful_receivers=self.stateful_receivers,
        )

    def _on_commit(self, written: Sequence[WrittenDelivery]) -> None:
        self.committed += [(one.channel, one.state) for one in written]

    @property
    def steps(self) -> StepStore:
        return StepStore(self.database, self.outbox)

    async def commit(self, *events: AlertEvent, **more: Any) -> None:
        before = await self.steps.progress()
        await self.steps.commit(
            PipelineStep(**{"seq": 0, "model": "m", "events": events} | more), before
        )

    async def rederive(self, *derived: AlertEvent, **change: Any) -> None:
        """What a re-run has found: all that happens to the alerts of a KOL."""
        found = {"now": self.clock.now()} | change
        await rederive(self.database, self.steps, *derived, **found)

    def dispatcher(self, channels: dict[str, Channel], **change: Any) -> Dispatcher:
        values: dict[str, Any] = {
            "attempts": 3, "timeout": 0.3, "public_url": "https://pr.example.com/",
            "chance": lambda: 0.5,
        }  # fmt: skip
        return Dispatcher(
            store=self.store, channels=channels, clock=self.clock, metrics=self.metrics,
            **values | change,
        )  # fmt: skip

    async def rows(self) -> list[Delivery]:
        return (await self.store.page(DeliveryFilter(), before=None, limit=100))[::-1]

    async def states(self) -> list[str]:
        return [row.state for row in await self.rows()]

    def counted(self, channel: str, outcome: str) -> float:
        labels = {"channel": channel, "outcome": outcome}
        return self.metrics.registry.get_sample_value("groundswell_deliveries_total", labels) or 0


@pytest.fixture
async def world(new_url: NewUrl, clock: TestClock) -> AsyncIterator[World]:
    database = Database(new_url())
    yield World(database, clock)
    await database.close()
