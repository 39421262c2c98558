"""The comments that are sent: the demo's KOLs, once for each seed, each with its storm."""

from datetime import datetime
from typing import Any

from serving.cli.demo.cast import SCENARIO
from serving.cli.demo.scenario import generate

Item = dict[str, Any]


def comments(end: datetime, seeds: int, *, storm_only: bool = False) -> list[Item]:
    """Comments as for `POST /v1/comments`, in order of time.

    Args:
        end: when the two days end, aware; whole seconds.
        seeds: number of copies of the cast, each with ids and comments of its own.
        storm_only: leave out the KOLs without a storm.
    """
    items = [_renamed(item, seed) for seed in range(seeds) for item in generate(end, seed)]
    if storm_only:
        items = [item for item in items if item["kol_id"].startswith(SCENARIO.storm_kol)]
    return sorted(items, key=lambda item: (item["created_at"], item["comment_id"]))


def _renamed(item: Item, seed: int) -> Item:
    named = ("kol_id", "comment_id", "parent_id", "post_id")
    return item | {name: f"{item[name]}-{seed}" for name in named if name in item}
