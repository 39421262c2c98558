"""Three alerts open and end during an outage; afterwards all messages arrive, once per key.

In the first third of the outage connections are refused, in the second servers return 500 and 451,
and in the last they accept messages but respond too late. The service has its default retries; only
the timeout of an attempt is shorter in a shorter outage.
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
_IN_THE_STORM = timedelta(minutes=40)  # after the first hostile comment, when the alert is open
_AFTERWARDS = 900.0  # seconds to wait; retries are at most 5 minutes apart
_POLL = 0.2
Task = Callable[[], None]


class NotDelivered(Exception):
    """A message is missing, duplicated or out of order."""


@dataclass(frozen=True, slots=True)
class ChannelOutcome:
    """The result of one channel.

    Attributes:
        channel: its name.
        transitions: number of transitions to report.
        attempts: attempts counted by the service; a burst counts once per transition.
        messages: attempts that reached the server; other connections were refused.
        refused: of these, rejected with 500 or 451.
        taken: of these, accepted by the server, in time or not.
        repeated: of these, with a known key, so the receiver drops them.
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
    """Timeout of an attempt in seconds: the default in a realistic outage, else shorter."""
    return max(_REAL_TIMEOUT * outage / REAL_OUTAGE, 1.0)


def run(service: httpx.Client, outside: Outside, *, outage: float) -> list[ChannelOutcome]:
    """Run the outage and wait until all deliveries are done.

    Args:
        service: a service without comments.
        outside: the receivers of its channels.
        outage: its length in seconds.

    Raises:
        NotDelivered: a transition is missing, dead, duplicated with another key, or out of order.
    """
    end = SystemClock().now() - timedelta(hours=1)
    storms = [for_the_fake_model(end, kol_id) for kol_id in KOLS]
    for storm in storms:
        send(service, list(_part(storm, None, timedelta())))
    wait_until_processed(service, seconds=600)
    begun = time.monotonic()
    for share, task in sorted(_plan(service, outside, storms), key=lambda planned: planned[0]):
        time.sleep(max(begun + share * outage - time.monotonic(), 0))
        task()
    up_again = SystemClock().now()
    wait_until_processed(service, seconds=600)
    rows = _wait_for_deliveries(service)
    return [_checked(channel, rows, outside, up_again) for channel in _WAYS]


def _plan(
    service: httpx.Client, outside: Outside, storms: list[Storm]
) -> Iterator[tuple[float, Task]]:
    """Yield (share of the outage, task)."""
    for mode, share in _PHASES:
        yield share, partial(outside.turn, mode)
    for number, storm in enumerate(storms):
        opens = _FIRST_ALERT + _NEXT_ALERT * number
        yield opens, partial(send, service, list(_part(storm, timedelta(), _IN_THE_STORM)))
        yield opens + _ITS_END, partial(send, service, list(_part(storm, _IN_THE_STORM, None)))


def _part(storm: Storm, since: timedelta | None, until: timedelta | None) -> Iterator[Any]:
    """The comments in a span of time after the first hostile one."""
    for item in storm.items:
        after = created(item) - storm.first
        if (since is None or after >= since) and (until is None or after < until):
            yield item


def _wait_for_deliveries(service: httpx.Client) -> list[dict[str, Any]]:
    deadline = time.monotonic() + _AFTERWARDS
    while time.monotonic() < deadline:
        page = service.get("/v1/deliveries", params={"limit": 100}).raise_for_status().json()
        rows: list[dict[str, Any]] = page["items"][::-1]
        if all(row["state"] != "waiting" for row in rows):
            return rows
        time.sleep(_POLL)
    raise NotDelivered(f"deliveries are still waiting {_AFTERWARDS:g} s after the outage")


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
    reported = [one for arrival in once(taken) for one in arrival.told]
    if Counter(reported) != Counter(wanted):
        raise NotDelivered(f"{channel}: reported {reported} instead of {wanted}")
    for alert_id in {alert_id for alert_id, _ in wanted}:
        if [one for one in reported if one[0] == alert_id] != [
            one for one in wanted if one[0] == alert_id
        ]:
            raise NotDelivered(f"{channel}: {alert_id} was reported out of order")
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
