"""What a soak lost or doubled, and how its alerts differ from a rebuild."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from benchmarks.chaos.outcome import comparable, pages, read_alerts, stored_comments
from benchmarks.chaos.receiver import HookMessage
from benchmarks.soak.traffic import SoakTraffic
from model.types import Prediction
from serving.app import create_app
from serving.delivery_state import DeliveryState
from serving.logs import configure_logging
from serving.settings import Settings
from serving.storage.backup import back_up
from serving.storage.database import Database
from serving.storage.step_store import StepStore
from serving.storage.tables import alert_events, comments, scores

_AT_ONCE = 100  # alerts that are read at once
_POLL = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class SoakFaults:
    """What went wrong; every number is to be 0.

    Attributes:
        lost: acknowledged comments that are not in the log, or not scored.
        duplicates: comments that are in the log more than once.
        lost_notifications: deliveries that were planned, and not received or not finished; those
            that were skipped for a reason are none.
        repeated_notifications: messages that came more than once.
        lost_actions: actions that were acknowledged and are not in an alert's history.
        lost_events: alert events that a reader did not get, over all readers.
        repeated_events: alert events that a reader got more than once, over all readers.
        diverging_alerts: alerts that differ from those of a rebuild in anything.
    """

    lost: int
    duplicates: int
    lost_notifications: int
    repeated_notifications: int
    lost_actions: int
    lost_events: int
    repeated_events: int
    diverging_alerts: int


@dataclass(frozen=True, slots=True)
class SoakRemains:
    """What a soak left.

    Attributes:
        stored: the comments in the log, with repetitions.
        scored: number of scored comments.
        event_ids: ids of all alert events.
        alerts: every alert with its transitions, actions, evidence and trace.
        deliveries: idempotency key and state of every delivery.
        messages: what the webhook took.
    """

    stored: Sequence[tuple[str, str, str]]
    scored: int
    event_ids: Sequence[int]
    alerts: list[Any]
    deliveries: Sequence[tuple[str, str]]
    messages: Sequence[HookMessage]


def read_remains(url: str, client: httpx.Client, messages: Sequence[HookMessage]) -> SoakRemains:
    """Read what the service and its database hold.

    Args:
        url: of the database.
        client: of the service.
        messages: what the webhook took.
    """
    stored, scored = asyncio.run(stored_comments(url))
    return SoakRemains(
        stored=stored,
        scored=scored,
        event_ids=asyncio.run(_event_ids(url)),
        alerts=read_alerts(client),
        deliveries=[(one["key"], one["state"]) for one in pages(client, "/v1/deliveries")],
        messages=messages,
    )


async def _event_ids(url: str) -> list[int]:
    database = Database(url)
    async with database.read() as connection:
        found = list(await connection.scalars(select(alert_events.c.event_id)))
    await database.close()
    return found


def faults(traffic: SoakTraffic, remains: SoakRemains, rebuilt: list[Any]) -> SoakFaults:
    """What went wrong.

    Args:
        traffic: what was done.
        remains: what it left.
        rebuilt: the alerts that a rebuild gives.
    """
    stored, event_ids = set(remains.stored), set(remains.event_ids)
    received = Counter(message.key for message in remains.messages)
    planned = dict(remains.deliveries)
    alerts = {alert["alert_id"]: alert for alert in remains.alerts}
    again = {alert["alert_id"]: alert for alert in rebuilt}
    return SoakFaults(
        lost=len(traffic.acknowledged - stored) + max(len(stored) - remains.scored, 0),
        duplicates=len(remains.stored) - len(stored),
        lost_notifications=sum(
            state != DeliveryState.SKIPPED
            and (key not in received or state != DeliveryState.DELIVERED)
            for key, state in planned.items()
        ),
        repeated_notifications=received.total() - len(received),
        lost_actions=sum(
            max(done - len(alerts.get(alert_id, {}).get("actions", [])), 0)
            for alert_id, done in traffic.actions.items()
        ),
        lost_events=sum(len(event_ids - set(read)) for read in traffic.read),
        repeated_events=sum(len(read) - len(set(read)) for read in traffic.read),
        diverging_alerts=sum(
            alerts.get(alert_id) != again.get(alert_id) for alert_id in alerts.keys() | again.keys()
        ),
    )


class StoredScores:
    """A model that knows what the model said of each text of a database.

    Args:
        predictions: by text.
        model_id: of the model that said so.
    """

    def __init__(self, predictions: dict[str, Prediction], model_id: str) -> None:
        self._predictions = predictions
        self.model_id = model_id

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """What was stored.

        Raises:
            KeyError: a text is not in the database.
        """
        return [self._predictions[text] for text in texts]


async def rebuilt_alerts(url: str, copy: Path) -> Any:
    """The alerts of a copy of a database that is rebuilt from its comments and their scores.

    Args:
        url: of the database; its service does not run.
        copy: file of the copy, to be made.
    """
    original = Database(url)
    await back_up(original, copy)
    model = await _stored_scores(original)
    await original.close()
    database = Database(f"sqlite:///{copy}")
    await StepStore(database).clear_derived()
    await database.close()
    settings = Settings(
        database_url=f"sqlite:///{copy}", access="open", log_level="error", _env_file=None
    )
    configure_logging(settings)
    app = create_app(settings, classifier=model)  # type: ignore[arg-type]
    async with app.router.lifespan_context(app), _client(app) as http:
        await _until_processed(http)
        return comparable(await _alerts(http))


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=600
    )


async def _stored_scores(database: Database) -> StoredScores:
    names = ("negative", "neutral", "positive", "offensive")
    columns = (comments.c.text, *(scores.c[name] for name in names), scores.c.model)
    statement = select(*columns).join(scores, scores.c.seq == comments.c.seq)
    async with database.read() as connection:
        rows = (await connection.execute(statement)).all()
    found = {row.text: Prediction(*(getattr(row, name) for name in names)) for row in rows}
    return StoredScores(found, rows[0].model)


async def _until_processed(http: httpx.AsyncClient) -> None:
    while True:
        status = (await http.get("/v1/status")).raise_for_status().json()
        if status["log"]["backlog"] == 0 and status["reruns"] == 0:
            return
        await asyncio.sleep(_POLL)


async def _alerts(http: httpx.AsyncClient) -> list[Any]:
    found, cursor = list[Any](), dict[str, Any]()
    while True:
        page = (await http.get("/v1/alerts", params={"limit": _AT_ONCE, **cursor})).json()
        for alert in page["items"]:
            found.append((await http.get(f"/v1/alerts/{alert['alert_id']}")).json())
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}
