"""The replayed comments: the demo's storm, or one in words that the fake model knows."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from serving.cli.demo.cast import KOLS, SCENARIO
from serving.cli.demo.scenario import generate, plan
from tests.serving import streams

_SEED = 20
_BATCH = 500
_HOSTILE = (
    "terrible",
    "this is a scam",
    "awful",
    "worst ever",
)  # first words of the complaints of streams.storm
_AFTER = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Storm:
    """Comments with a storm, in order of time.

    Attributes:
        name: description of the stream.
        kol_id: the KOL that it hits.
        items: comments as for `POST /v1/comments`.
        first: event time of the first hostile comment.
    """

    name: str
    kol_id: str
    items: list[dict[str, Any]]
    first: datetime


def of_the_demo(end: datetime) -> Storm:
    """The demo's two days, ending at `end` (aware)."""
    kol = next(kol for kol in KOLS if kol.kol_id == SCENARIO.storm_kol)
    moods = [moment.mood for moment in plan(kol, random.Random(f"{_SEED}/{kol.kol_id}"))]
    items = generate(end, _SEED)
    own = sorted(
        (item for item in items if item["kol_id"] == kol.kol_id),
        key=lambda item: str(item["comment_id"]),
    )
    first = next(item for item, mood in zip(own, moods, strict=True) if mood == "review")
    return Storm("the demo's two days", kol.kol_id, items, created(first))


def for_the_fake_model(end: datetime, kol_id: str = "lena") -> Storm:
    """30 hours of one KOL with one hour of storm."""
    start = end - timedelta(hours=30)
    items = streams.storm(kol_id, start, storm_after=_AFTER)
    first = next(
        created(item)
        for item in items
        if created(item) >= start + _AFTER and str(item["text"]).startswith(_HOSTILE)
    )
    return Storm("the storm of the tests", kol_id, items, first)


def created(item: dict[str, Any]) -> datetime:
    """Creation time of a comment, aware."""
    return datetime.fromisoformat(item["created_at"])


def send(service: httpx.Client, items: list[dict[str, Any]]) -> None:
    """Send comments to the service."""
    for first in range(0, len(items), _BATCH):
        service.post("/v1/comments", json=items[first : first + _BATCH]).raise_for_status()
