"""Comments without end: the demo's KOLs, two days after two days, each with its storm.

The KOLs stay the same, so that whatever grows is not their number. Event time is far in the past:
it passes faster than the clock, and must not reach it.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import count

from benchmarks.chaos.stream import Item
from serving.cli.demo.scenario import SPAN, generate


def endless_comments(begin: datetime, copies: int) -> Iterator[Item]:
    """Comments as for `POST /v1/comments`, in order of time.

    Args:
        begin: of the event time, aware; whole seconds.
        copies: number of copies of the demo's three KOLs.
    """
    for cycle in count():
        end = begin + SPAN * (cycle + 1)
        items = [
            _renamed(item, copy, cycle)
            for copy in range(copies)
            for item in generate(end, cycle * copies + copy)
        ]
        yield from sorted(items, key=lambda item: (item["created_at"], item["comment_id"]))


def _renamed(item: Item, copy: int, cycle: int) -> Item:
    own = ("comment_id", "parent_id", "post_id")
    named = {name: f"{item[name]}-{copy}-{cycle}" for name in own if name in item}
    return item | named | {"kol_id": f"{item['kol_id']}-{copy}"}
