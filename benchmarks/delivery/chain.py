"""Times a storm, from its first hostile comment to the last message about its end.

The calm before the storm is sent as fast as possible. From the first hostile comment on, comments
are replayed at a given speed. The detector works in event time, which does not depend on the speed;
scrapes, waits and messages take clock time.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.delivery.stack import CRM, HOOK, SECRET, DeliveryStack
from benchmarks.delivery.storm import Storm, created, send
from serving.clock import SystemClock
from serving.notify.channels.webhook import SIGNATURE, sign
from tests.deploy.daemons import eventually
from tests.serving.notify.outside import MAIL, Arrival
from tests.serving.streams import wait_until_processed

RULE = "GroundswellBacklash"
_CLOCK = SystemClock()
_TICK, _POLL = 0.05, 0.25  # seconds between polls of the receivers, and of Prometheus
_AFTERWARDS = timedelta(minutes=15)  # for the rule to stop firing and its end to be reported


class ChainIncomplete(Exception):
    """An expected event did not happen."""


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One event of the chain.

    Attributes:
        what: short description.
        at: clock time, aware.
        event_time: event time; None if it has none.
        cause: clock time when the reported transition was committed; None for other events.
    """

    what: str
    at: datetime
    event_time: datetime | None = None
    cause: datetime | None = None


def run(stack: DeliveryStack, storm: Storm, *, speed: float) -> list[ChainEvent]:
    """Replay the storm, acknowledge its alert at the first message, and wait for its end.

    Args:
        stack: all running programs; the service has no comments.
        storm: the comments to replay.
        speed: seconds of event time per second.

    Returns:
        The events, in order of clock time.

    Raises:
        ChainIncomplete: an event is missing, or a signature is wrong.
    """
    calm = [item for item in storm.items if created(item) < storm.first]
    rest = storm.items[len(calm) :]
    send(stack.service, calm)
    wait_until_processed(stack.service, seconds=1800)
    seen = f'groundswell_mood{{kol="{storm.kol_id}"}}'
    eventually(lambda: _series(stack, seen), "the KOL is scraped", seconds=120)
    observer = _Observer(stack, storm.kol_id)
    begun = _CLOCK.now()
    last = begun + (created(rest[-1]) - storm.first) / speed + _AFTERWARDS
    while not observer.over:
        now = _CLOCK.now()
        if now > last:
            raise ChainIncomplete(f"these events are missing: {observer.missing}")
        reached = storm.first + (now - begun) * speed
        due = next((n for n, item in enumerate(rest) if created(item) > reached), len(rest))
        send(stack.service, rest[:due])
        rest = rest[due:]
        observer.poll()
        time.sleep(_TICK)
    events = [ChainEvent("first hostile comment", begun, storm.first), *observer.events()]
    return sorted(events, key=lambda event: event.at)


def _series(stack: DeliveryStack, expr: str) -> list[Any]:
    answer = stack.prometheus.get("/api/v1/query", params={"query": expr}).raise_for_status()
    found: list[Any] = answer.json()["data"]["result"]
    return found


class _Observer:
    """Polls the receivers and the Prometheus rule, and acknowledges the alert."""

    def __init__(self, stack: DeliveryStack, kol_id: str) -> None:
        self._stack = stack
        self._kol_id = kol_id
        self._next_poll = time.monotonic()
        self._fired: datetime | None = None
        self._stopped: datetime | None = None
        self._acknowledged: datetime | None = None

    @property
    def missing(self) -> list[str]:
        """Events that have not happened yet."""
        happened = {
            "acknowledged": self._acknowledged is not None,
            "the rule fired": self._fired is not None,
            "the rule stopped firing": self._stopped is not None,
            "the webhook for the end": self._first(HOOK, "resolved") is not None,
            "the e-mail for the end": self._first(MAIL, "resolved") is not None,
            "Alertmanager's message for the end": self._rule_message("resolved") is not None,
        }
        return [what for what, true in happened.items() if not true]

    @property
    def over(self) -> bool:
        """Whether all events have happened."""
        return not self.missing

    def poll(self) -> None:
        """Poll once."""
        if self._acknowledged is None and any(self._accepted()):
            self._acknowledge()
        if time.monotonic() >= self._next_poll:
            self._poll_rule()
            self._next_poll = time.monotonic() + _POLL

    def _accepted(self) -> Iterator[Arrival]:
        return (arrival for arrival in list(self._stack.outside.arrivals) if arrival.kept)

    def _first(self, way: str, reason: str) -> Arrival | None:
        """The first message of the service about a transition, by its way."""
        return next(
            (
                arrival
                for arrival in self._accepted()
                if arrival.way == way and reason in [transition for _, transition in arrival.told]
            ),
            None,
        )

    def _rule_message(self, status: str) -> Arrival | None:
        """Alertmanager's first message that the rule fires, or its last one about the end."""
        found = [
            arrival
            for arrival in self._accepted()
            if arrival.way not in (HOOK, MAIL)
            for alert in json.loads(arrival.body)["alerts"]
            if (alert["labels"]["alertname"], alert["labels"].get("kol"), alert["status"])
            == (RULE, self._kol_id, status)
        ]
        return found[-1 if status == "resolved" else 0] if found else None

    def _acknowledge(self) -> None:
        service = self._stack.service
        answer = service.get("/v1/alerts", params={"kol_id": self._kol_id}).raise_for_status()
        (alert,) = (one for one in answer.json()["items"] if one["severity"] != "info")
        body = {"action": "acknowledge", "actor": "on call"}
        done = service.post(f"/v1/alerts/{alert['alert_id']}/actions", json=body).raise_for_status()
        self._acknowledged = datetime.fromisoformat(done.json()["action"]["at"])

    def _poll_rule(self) -> None:
        answer = self._stack.prometheus.get("/api/v1/alerts").raise_for_status()
        firing = [
            datetime.fromisoformat(alert["activeAt"])
            for alert in answer.json()["data"]["alerts"]
            if alert["labels"]["alertname"] == RULE
            and alert["labels"]["kol"] == self._kol_id
            and alert["state"] == "firing"
        ]
        if firing:
            self._fired = self._fired or min(firing)
            self._stopped = None
        elif self._fired is not None:
            self._stopped = self._stopped or _CLOCK.now()

    def events(self) -> Iterator[ChainEvent]:
        """All events.

        Raises:
            ChainIncomplete: the signature of a webhook is wrong.
        """
        assert self._fired is not None
        assert self._stopped is not None
        assert self._acknowledged is not None
        query = {"channel": CRM}
        page = self._stack.service.get("/v1/deliveries", params=query).raise_for_status().json()
        committed: dict[str, datetime] = {}
        for row in reversed(page["items"]):
            reason, at = row["reason"], datetime.fromisoformat(row["recorded_at"])
            committed[reason] = at
            yield ChainEvent(f"alert {reason}", at, datetime.fromisoformat(row["at"]))
            for way, name in ((HOOK, "webhook, signature verified"), (MAIL, "e-mail")):
                if (arrival := self._first(way, reason)) is None:
                    raise ChainIncomplete(f"no message about {reason} by {way}")
                if way == HOOK:
                    _verify(arrival)
                yield ChainEvent(f"{reason}: {name}", arrival.at, cause=at)
        opened, resolved = committed["opened"], committed["resolved"]
        yield ChainEvent("rule fired in Prometheus", self._fired, cause=opened)
        yield ChainEvent("rule stopped firing in Prometheus", self._stopped, cause=resolved)
        for status, cause in (("firing", opened), ("resolved", resolved)):
            arrival = self._rule_message(status)
            assert arrival is not None
            yield ChainEvent(f"{status}: Alertmanager's webhook", arrival.at, cause=cause)
        yield ChainEvent("acknowledged", self._acknowledged)


def _verify(arrival: Arrival) -> None:
    """Verify a signature like a receiver: the HMAC of time and body.

    Raises:
        ChainIncomplete: it is wrong.
    """
    header = arrival.headers[SIGNATURE.lower()]
    seconds = dict(part.split("=", 1) for part in header.split(","))["t"]
    if header != sign(SECRET, datetime.fromtimestamp(int(seconds), UTC), arrival.body):
        raise ChainIncomplete("the signature of a webhook is wrong")
