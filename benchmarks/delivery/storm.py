"""What is replayed: the demo's storm, or one in words that the fake model knows."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from serving.cli.demo.scenario import KOLS, SCENARIO, generate, plan
from tests.serving import streams

_SEED = 20
_BATCH = 500
_HOSTILE = ("terrible", "this is a scam", "awful", "worst ever")  # how streams.storm complains
_AFTER = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Storm:
    """Comments in order of time, with a storm in them.

    Attributes:
        name: of the stream, for people.
        kol_id: whom it hits.
        items: as `POST /v1/comments` takes them.
        first: event time of the first hostile comment.
    """

    name: str
    kol_id: str
    items: list[dict[str, Any]]
    first: datetime


def of_the_demo(end: datetime) -> Storm:
    """The demo's two days, which end at `end` (aware)."""
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
    """A day and a quarter of one KOL with an hour of storm in it."""
    start = end - timedelta(hours=30)
    items = streams.storm(kol_id, start, storm_after=_AFTER)
    first = next(
        created(item)
        for item in items
        if created(item) >= start + _AFTER and str(item["text"]).startswith(_HOSTILE)
    )
    return Storm("the storm of the tests", kol_id, items, first)


def created(item: dict[str, Any]) -> datetime:
    """When a comment was written, aware."""
    return datetime.fromisoformat(item["created_at"])


def send(service: httpx.Client, items: list[dict[str, Any]]) -> None:
    """Hand comments to the service."""
    for first in range(0, len(items), _BATCH):
        service.post("/v1/comments", json=items[first : first + _BATCH]).raise_for_status()
