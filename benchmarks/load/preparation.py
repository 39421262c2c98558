"""What a service holds before a load: many KOLs, or many open alerts."""

from datetime import timedelta

import httpx
from sqlalchemy import insert

from benchmarks.load.steady_comments import comment
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, AlertState, Severity
from serving.clock import SystemClock
from serving.storage.database import Database
from serving.storage.instants import to_micros
from serving.storage.tables import alerts

_AT_ONCE = 1000
_HELD = timedelta(hours=2)
_TEXTS = ("love this", "what time is it on", "terrible, I hate it", "from Jakarta")


def register_kols(client: httpx.Client, number: int) -> None:
    """Send a comment on each of many KOLs.

    Args:
        client: of the service.
        number: of KOLs.
    """
    for first in range(0, number, _AT_ONCE):
        items = [
            comment(f"registered-{kol}", kol, _TEXTS[kol % len(_TEXTS)])
            for kol in range(first, min(first + _AT_ONCE, number))
        ]
        client.post("/v1/comments", json=items).raise_for_status()


async def open_alerts(url: str, number: int) -> None:
    """Store open alerts, two on each of many KOLs, in the database of a service that is stopped.

    Args:
        url: of the database.
        number: of alerts.
    """
    now = SystemClock().now()
    evidence = Evidence(now, now, now, 100, 60.0, 20.0, 0.1, 5.0, (), None, "It rose." * 200)
    stored, at = evidence.to_dict(), to_micros(now - _HELD)
    rows = [
        {
            "alert_id": f"open-{place}",
            "kol_id": f"alerted-{place // 2}",
            "kind": AlertKind.BACKLASH,
            "severity": (Severity.WARNING, Severity.CRITICAL)[place % 2],
            "state": AlertState.OPEN,
            "opened_at": at,
            "updated_at": at,
            "evidence": stored,
        }
        for place in range(number)
    ]
    database = Database(url)
    async with database.write() as connection:
        await connection.execute(insert(alerts), rows)
    await database.close()
