"""A storm from its first hostile comment to the last message that it is over.

The calm before it is sent as fast as the service takes it; from the first hostile comment on,
comments come in their order of time at a stated speed. What the detector takes is event time, which
the speed does not change; what scrapes, waits and messages take is time by the clock.
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
_TICK, _LOOK = 0.05, 0.25  # seconds between two looks at what arrived, and at Prometheus
_AFTERWARDS = timedelta(minutes=15)  # for the rule to cease and its end to be told


class ChainIncomplete(Exception):
    """The chain did not come to its end."""


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """Something that happened.

    Attributes:
        what: in a few words.
        at: by the clock, aware.
        event: in event time; None where it has none.
        cause: by the clock, when the transition was committed of which this tells; None for others.
    """

    what: str
    at: datetime
    event: datetime | None = None
    cause: datetime | None = None


def run(stack: DeliveryStack, storm: Storm, *, speed: float) -> list[ChainEvent]:
    """Replay the storm, acknowledge its alert at the first message, and see it told and over.

    Args:
        stack: everything that runs; its service has no comments yet.
        storm: what to replay.
        speed: seconds of the storm a second.

    Returns:
        What happened, in order of time by the clock.

    Raises:
        ChainIncomplete: something did not come, or a signature was wrong.
    """
    calm = [item for item in storm.items if created(item) < storm.first]
    rest = storm.items[len(calm) :]
    send(stack.service, calm)
    wait_until_processed(stack.service, seconds=1800)
    seen = f'groundswell_mood{{kol="{storm.kol_id}"}}'
    eventually(lambda: _series(stack, seen), "the KOL is scraped", seconds=120)
    watch = _Observer(stack, storm.kol_id)
    begun = _CLOCK.now()
    last = begun + (created(rest[-1]) - storm.first) / speed + _AFTERWARDS
    while not watch.over:
        now = _CLOCK.now()
        if now > last:
            raise ChainIncomplete(f"not all was told: {watch.missing}")
        reached = storm.first + (now - begun) * speed
        due = next((n for n, item in enumerate(rest) if created(item) > reached), len(rest))
        send(stack.service, rest[:due])
        rest = rest[due:]
        watch.look()
        time.sleep(_TICK)
    moments = [ChainEvent("first hostile comment", begun, storm.first), *watch.moments()]
    return sorted(moments, key=lambda moment: moment.at)


def _series(stack: DeliveryStack, expr: str) -> list[Any]:
    answer = stack.prometheus.get("/api/v1/query", params={"query": expr}).raise_for_status()
    found: list[Any] = answer.json()["data"]["result"]
    return found


class _Observer:
    """Looks at what arrives and at Prometheus' rule, and acknowledges."""

    def __init__(self, stack: DeliveryStack, kol_id: str) -> None:
        self._stack = stack
        self._kol_id = kol_id
        self._next_look = time.monotonic()
        self._fired: datetime | None = None
        self._ceased: datetime | None = None
        self._acknowledged: datetime | None = None

    @property
    def missing(self) -> list[str]:
        """What has not happened yet."""
        happened = {
            "acknowledged": self._acknowledged is not None,
            "the rule fired": self._fired is not None,
            "the rule ceased": self._ceased is not None,
            "the webhook's end": self._first(HOOK, "resolved") is not None,
            "the e-mail's end": self._first(MAIL, "resolved") is not None,
            "Alertmanager's end": self._ruled("resolved") is not None,
        }
        return [what for what, true in happened.items() if not true]

    @property
    def over(self) -> bool:
        """Whether everything has happened."""
        return not self.missing

    def look(self) -> None:
        """See what is new."""
        if self._acknowledged is None and any(self._kept()):
            self._acknowledge()
        if time.monotonic() >= self._next_look:
            self._look_at_rule()
            self._next_look = time.monotonic() + _LOOK

    def _kept(self) -> Iterator[Arrival]:
        return (arrival for arrival in list(self._stack.outside.arrivals) if arrival.kept)

    def _first(self, way: str, reason: str) -> Arrival | None:
        """The first message of ours on a way that tells a transition."""
        return next(
            (
                arrival
                for arrival in self._kept()
                if arrival.way == way and reason in [told for _, told in arrival.told]
            ),
            None,
        )

    def _ruled(self, status: str) -> Arrival | None:
        """The first message of Alertmanager on the rule's alert that it fires; the last on its
        end.
        """
        found = [
            arrival
            for arrival in self._kept()
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

    def _look_at_rule(self) -> None:
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
            self._ceased = None
        elif self._fired is not None:
            self._ceased = self._ceased or _CLOCK.now()

    def moments(self) -> Iterator[ChainEvent]:
        """Everything that happened.

        Raises:
            ChainIncomplete: a webhook's signature is wrong.
        """
        assert self._fired is not None
        assert self._ceased is not None
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
                    raise ChainIncomplete(f"{way}: {reason}")
                if way == HOOK:
                    _verify(arrival)
                yield ChainEvent(f"{reason}: {name}", arrival.at, cause=at)
        opened, resolved = committed["opened"], committed["resolved"]
        yield ChainEvent("rule fired in Prometheus", self._fired, cause=opened)
        yield ChainEvent("rule ceased in Prometheus", self._ceased, cause=resolved)
        for status, cause in (("firing", opened), ("resolved", resolved)):
            arrival = self._ruled(status)
            assert arrival is not None
            yield ChainEvent(f"{status}: Alertmanager's webhook", arrival.at, cause=cause)
        yield ChainEvent("acknowledged", self._acknowledged)


def _verify(arrival: Arrival) -> None:
    """As a receiver would: the time, and the HMAC of it and of the body.

    Raises:
        ChainIncomplete: it is not ours.
    """
    header = arrival.headers[SIGNATURE.lower()]
    seconds = dict(part.split("=", 1) for part in header.split(","))["t"]
    if header != sign(SECRET, datetime.fromtimestamp(int(seconds), UTC), arrival.body):
        raise ChainIncomplete("a webhook's signature is wrong")
