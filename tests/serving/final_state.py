"""What is finally derived from a set of comments, for comparisons of ways in which they came."""

from typing import Any

from sqlalchemy import select

from monitoring.kinds import AlertState, Reason
from serving.storage.alert_record import to_evidence
from serving.storage.database import Database
from serving.storage.tables import alert_events, alerts, minute_scores, minutes, reruns, scores


async def final(database: Database) -> dict[str, Any]:
    """What must not depend on the order of arrival.

    Ids of alerts stay as they were first given, so they are left out, and so are the alerts that
    were withdrawn and the revisions: they say what was known when.
    """
    async with database.read() as connection:
        rows = (
            await connection.execute(select(alerts).order_by(alerts.c.opened_at, alerts.c.kol_id))
        ).all()
        kept = [row for row in rows if row.state != AlertState.REVISED]
        events = (
            await connection.execute(
                select(alert_events)
                .where(
                    alert_events.c.reason != Reason.REVISED,
                    alert_events.c.alert_id.in_([row.alert_id for row in kept]),
                )
                .order_by(
                    alert_events.c.at,
                    alert_events.c.kol_id,
                    alert_events.c.kind,
                    alert_events.c.event_id,
                )
            )
        ).all()
        assert not (await connection.execute(select(reruns))).all()
        return {
            "minutes": _plain(await connection.execute(select(minutes).order_by(*minutes.c[:2]))),
            "windows": _plain(
                await connection.execute(
                    select(minute_scores).order_by(minute_scores.c.kol_id, minute_scores.c.start)
                )
            ),
            "scored": len((await connection.execute(select(scores.c.seq))).all()),
            "alerts": [(*row[1:8], to_evidence(row.evidence)) for row in kept],
            "events": [
                (row.kol_id, row.kind, row.severity, row.reason, row.at, to_evidence(row.evidence))
                for row in events
            ],
        }


def _plain(rows: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]
