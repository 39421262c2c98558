"""Three alerts open and end while nobody can be reached; then everything comes, once for each key.

A third of the outage connections are refused, a third of it servers answer 500 and 451, and in the
rest they take every message and say so too late. Pauses between attempts are the service's own;
only the time that it gives an attempt shrinks with the outage.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import httpx

from benchmarks.delivery.stack import CRM, DESK, HOOK
from benchmarks.delivery.storm import Storm, created, for_the_fake_model, send
from serving.clock import SystemClock
from tests.serving.notify.outside import MAIL, Arrival, Outside, once
from tests.serving.streams import wait_until_processed

KOLS = ("lena", "mina", "nora")
REAL_OUTAGE = 600.0  # seconds
_REAL_TIMEOUT = 10.0  # seconds, the service's default
_WAYS = {CRM: HOOK, DESK: MAIL}
_PHASES = (("refusing", 0.0), ("failing", 0.33), ("slow", 0.66), ("up", 1.0))
_FIRST_ALERT, _NEXT_ALERT, _ITS_END = 0.05, 0.3, 0.15  # shares of the outage
_IN_THE_STORM = timedelta(minutes=40)  # after the first hostile comment: the alert is open
_AFTERWARDS = 900.0  # seconds for everything to come: pauses are five minutes at most
_POLL = 0.2
Task = Callable[[], None]


class NotDelivered(Exception):
    """The run did not end as promised."""


@dataclass(frozen=True, slots=True)
class ChannelOutcome:
    """What came of one channel.

    Attributes:
        channel: its name.
        transitions: that it was to be told.
        attempts: that the service made, by its own count; a burst counts for each transition.
        messages: attempts that reached the server; the others were refused a connection.
        refused: of those, answered 500 or 451.
        taken: of those, taken by the server, in time or not.
        repeated: of those taken, with a key that had been there: a receiver drops them.
        last: seconds from the end of the outage to the last message.
    """

    channel: str
    transitions: int
    attempts: int
    messages: int
    refused: int
    taken: int
    repeated: int
    last: float


def timeout_for(outage: float) -> float:
    """Seconds that an attempt gets: the default in a real outage, fewer in a short one."""
    return max(_REAL_TIMEOUT * outage / REAL_OUTAGE, 1.0)


def run(service: httpx.Client, outside: Outside, *, outage: float) -> list[ChannelOutcome]:
    """Go through the outage and wait until nothing waits any more.

    Args:
        service: without comments yet.
        outside: its channels' other side.
        outage: how long they are down, in seconds.

    Raises:
        NotDelivered: a transition was lost, is dead, came twice under two keys, or out of order.
    """
    end = SystemClock().now() - timedelta(hours=1)
    storms = [for_the_fake_model(end, kol_id) for kol_id in KOLS]
    for storm in storms:
        send(service, list(_part(storm, None, timedelta())))
    wait_until_processed(service, seconds=600)
    begun = time.monotonic()
    for share, task in sorted(
        _plan(service, outside, storms), key=lambda planned_steps: planned_steps[0]
    ):
        time.sleep(max(begun + share * outage - time.monotonic(), 0))
        task()
    up_again = SystemClock().now()
    wait_until_processed(service, seconds=600)
    rows = _until_nothing_waits(service)
    return [_checked(channel, rows, outside, up_again) for channel in _WAYS]


def _plan(
    service: httpx.Client, outside: Outside, storms: list[Storm]
) -> Iterator[tuple[float, Task]]:
    """What is to be done, and after which share of the outage."""
    for mode, share in _PHASES:
        yield share, partial(outside.turn, mode)
    for number, storm in enumerate(storms):
        opens = _FIRST_ALERT + _NEXT_ALERT * number
        yield opens, partial(send, service, list(_part(storm, timedelta(), _IN_THE_STORM)))
        yield opens + _ITS_END, partial(send, service, list(_part(storm, _IN_THE_STORM, None)))


def _part(storm: Storm, since: timedelta | None, until: timedelta | None) -> Iterator[Any]:
    """The comments from one time after the first hostile one to another."""
    for item in storm.items:
        after = created(item) - storm.first
        if (since is None or after >= since) and (until is None or after < until):
            yield item


def _until_nothing_waits(service: httpx.Client) -> list[dict[str, Any]]:
    deadline = time.monotonic() + _AFTERWARDS
    while time.monotonic() < deadline:
        page = service.get("/v1/deliveries", params={"limit": 100}).raise_for_status().json()
        rows: list[dict[str, Any]] = page["items"][::-1]
        if all(row["state"] != "waiting" for row in rows):
            return rows
        time.sleep(_POLL)
    raise NotDelivered(f"deliveries still wait {_AFTERWARDS:g} s after the outage")


def _checked(
    channel: str, rows: list[dict[str, Any]], outside: Outside, up_again: Any
) -> ChannelOutcome:
    mine = [row for row in rows if row["channel"] == channel]
    wanted = [(row["alert_id"], row["reason"]) for row in mine]
    if len({row["kol_id"] for row in mine}) < len(KOLS):
        raise NotDelivered(f"{channel}: fewer than three alerts")
    if any(row["state"] != "delivered" for row in mine):
        raise NotDelivered(f"{channel}: {Counter(row['state'] for row in mine)}")
    attempts: list[Arrival] = [one for one in outside.arrivals if one.way == _WAYS[channel]]
    taken = [arrival for arrival in attempts if arrival.kept]
    told = [one for arrival in once(taken) for one in arrival.told]
    if Counter(told) != Counter(wanted):
        raise NotDelivered(f"{channel}: told {told} instead of {wanted}")
    for alert_id in {alert_id for alert_id, _ in wanted}:
        if [one for one in told if one[0] == alert_id] != [
            one for one in wanted if one[0] == alert_id
        ]:
            raise NotDelivered(f"{channel}: {alert_id} was told out of order")
    return ChannelOutcome(
        channel=channel,
        transitions=len(mine),
        attempts=sum(row["attempts"] for row in mine),
        messages=len(attempts),
        refused=len(attempts) - len(taken),
        taken=len(taken),
        repeated=len(taken) - len(once(taken)),
        last=max((arrival.at - up_again).total_seconds() for arrival in taken),
    )
