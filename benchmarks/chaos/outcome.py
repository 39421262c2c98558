"""What a run left, and how it differs from a run without kills."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from benchmarks.chaos.receiver import HookMessage
from serving.storage.database import Database
from serving.storage.tables import comments, scores

Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ChaosOutcome:
    """What a run left.

    Attributes:
        acknowledged: the comments that were acknowledged to the sender.
        stored: the comments in the log, with repetitions.
        scored: number of scored comments.
        alerts: every alert with its transitions, evidence and trace.
        messages: what the webhook took, in order.
        kills: how often the service was killed.
        requests_repeated: requests that were sent again because no answer came.
        seconds: the time of the run.
    """

    acknowledged: Collection[Identity]
    stored: Sequence[Identity]
    scored: int
    alerts: list[Any]
    messages: Sequence[HookMessage]
    kills: int
    requests_repeated: int
    seconds: float


@dataclass(frozen=True, slots=True)
class KillCosts:
    """What the kills have cost; every number but the last is to be 0.

    Attributes:
        lost: acknowledged comments that are not in the log, or not scored.
        duplicates: comments that are in the log more than once.
        diverging_alerts: alerts that differ from those of the run without kills in anything.
        lost_notifications: transitions of which that run told and this one did not.
        repeated_notifications: notifications of one transition under more than one key, or of
            none that the other run knows.
        sent_again: messages that came again under the same key, which receivers drop.
    """

    lost: int
    duplicates: int
    diverging_alerts: int
    lost_notifications: int
    repeated_notifications: int
    sent_again: int


def read_outcome(url: str, client: httpx.Client, **known: Any) -> ChaosOutcome:
    """Read what the service and its database hold.

    Args:
        url: of the database.
        client: of the service.
        known: the other attributes.
    """
    stored, scored = asyncio.run(stored_comments(url))
    return ChaosOutcome(stored=stored, scored=scored, alerts=read_alerts(client), **known)


def read_alerts(client: httpx.Client) -> Any:
    """Every alert with its transitions, evidence and trace, to be compared."""
    ids = [alert["alert_id"] for alert in pages(client, "/v1/alerts")]
    alerts = [client.get(f"/v1/alerts/{alert_id}").raise_for_status().json() for alert_id in ids]
    return comparable(alerts)


def pages(client: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    """The items of a list, page after page."""
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params={"limit": 200, **cursor}).raise_for_status().json()
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


async def stored_comments(url: str) -> tuple[list[Identity], int]:
    """The comments in the log of a database, and how many are scored."""
    database = Database(url)
    names = comments.c.platform, comments.c.comment_id, comments.c.kol_id
    async with database.read() as connection:
        rows = [tuple(row) for row in await connection.execute(select(*names))]
        scored = len((await connection.execute(select(scores.c.seq))).all())
    await database.close()
    return rows, scored


def compare(undisturbed: ChaosOutcome, killed: ChaosOutcome) -> KillCosts:
    """What the kills have cost."""
    known = {alert["alert_id"]: alert for alert in undisturbed.alerts}
    found = {alert["alert_id"]: alert for alert in killed.alerts}
    expected = {message.news for message in undisturbed.messages}
    keys = {message.key: message.news for message in killed.messages}
    told = Counter(keys.values())
    return KillCosts(
        lost=len(set(killed.acknowledged) - set(killed.stored))
        + max(len(set(killed.stored)) - killed.scored, 0),
        duplicates=len(killed.stored) - len(set(killed.stored)),
        diverging_alerts=sum(
            known.get(alert_id) != found.get(alert_id) for alert_id in known.keys() | found.keys()
        ),
        lost_notifications=len(expected - told.keys()),
        repeated_notifications=sum(count - (news in expected) for news, count in told.items()),
        sent_again=len(killed.messages) - len(keys),
    )


def comparable(alerts: list[Any]) -> Any:
    """Alerts without event ids, and with figures to six digits.

    Ids of events count transactions, and numpy's last bit depends on the batch.
    """
    for alert in alerts:
        for event in alert["events"]:
            event.pop("event_id")
    return json.loads(json.dumps(alerts), parse_float=lambda figure: f"{float(figure):.6g}")
