"""What an import has shown: the comments, the alerts, and what cannot be judged yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from groundswell_client import AsyncClient
from groundswell_client.models.alerts import AlertInfo
from groundswell_client.models.kols import KolInfo
from serving.ingest.importers.learning import missing_for
from serving.storage.import_record import ImportCount


@dataclass(frozen=True, slots=True)
class KolFindings:
    """What an import has shown of one KOL.

    Attributes:
        kol_id: its id.
        comments: how many were imported.
        first: event time of the earliest, aware, UTC.
        last: event time of the latest.
        alerts: those that opened since `first`, first opened first.
        missing: what is missing before the KOL is judged; None if it is.
    """

    kol_id: str
    comments: int
    first: datetime
    last: datetime
    alerts: Sequence[AlertInfo]
    missing: str | None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import has shown.

    Attributes:
        count: what became of its rows.
        kols: each KOL of the files, by id.
    """

    count: ImportCount
    kols: Sequence[KolFindings]


async def result_of(client: AsyncClient, count: ImportCount) -> ImportResult:
    """Ask a service, which has processed all comments, what came of an import."""
    if not count.kols:
        return ImportResult(count, [])
    found = await client.alerts.list(since=min(span.first for span in count.kols.values())).all()
    alerts = sorted(found, key=lambda alert: alert.opened_at)
    now = {kol.kol_id: kol for kol in await client.kols.list().all()}
    kols = [
        KolFindings(
            kol_id,
            span.comments,
            span.first,
            span.last,
            [alert for alert in alerts if alert.kol_id == kol_id],
            missing_for(span, learning=_learning(now.get(kol_id))),
        )
        for kol_id, span in sorted(count.kols.items())
    ]
    return ImportResult(count, kols)


def _learning(kol: KolInfo | None) -> bool:
    return kol is None or kol.status is None or kol.status.learning
