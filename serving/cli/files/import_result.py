"""What an import has shown: the comments, the alerts, and what cannot be judged yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from serving.client.client import ServiceClient
from serving.client.models.alerts import AlertInfo
from serving.client.models.kols import KolInfo
from serving.ingest.importers.import_count import ImportCount

_LEARNT_SPAN = timedelta(days=2)  # of comments, before a KOL is judged
_LEARNT_COMMENTS = 20


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
        used: comments that detection has counted.
        kols: each KOL of the files, by id.
    """

    count: ImportCount
    used: int
    kols: Sequence[KolFindings]


async def result_of(
    client: ServiceClient, count: ImportCount, before: Sequence[KolInfo]
) -> ImportResult:
    """Ask a service what came of an import.

    Args:
        client: of the service, which has processed all comments.
        count: of the import.
        before: the KOLs as they were before it.
    """
    if not count.kols:
        return ImportResult(count, 0, [])
    found = await client.alerts(since=min(span.first for span in count.kols.values()))
    alerts = sorted(found.value, key=lambda alert: alert.opened_at)
    now = {kol.kol_id: kol for kol in (await client.kols()).value}
    then = {kol.kol_id: kol for kol in before}
    late = sum(_late(now.get(kol_id)) - _late(then.get(kol_id)) for kol_id in count.kols)
    kols = [
        KolFindings(
            kol_id,
            span.comments,
            span.first,
            span.last,
            [alert for alert in alerts if alert.kol_id == kol_id],
            _missing(now.get(kol_id), span.comments, span.last - span.first),
        )
        for kol_id, span in sorted(count.kols.items())
    ]
    return ImportResult(count, max(count.accepted + count.updated - late, 0), kols)


def _late(kol: KolInfo | None) -> int:
    return kol.status.late if kol is not None and kol.status is not None else 0


def _missing(kol: KolInfo | None, comments: int, span: timedelta) -> str | None:
    if kol is not None and kol.status is not None and not kol.status.learning:
        return None
    wanted = []
    if span < _LEARNT_SPAN:
        hours = span / timedelta(hours=1)
        wanted.append(f"two days of comments (these cover {hours:.0f} hours)")
    if comments < _LEARNT_COMMENTS:
        wanted.append(f"{_LEARNT_COMMENTS} comments (these are {comments})")
    return " and ".join(wanted) or "more comments at more hours of the day"
