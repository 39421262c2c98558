"""An invented day and week, and a database to compose others from."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitoring.alerts import AlertEvent
from monitoring.events import Comment, ScoredComment
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, Reason, Severity
from monitoring.minute_score import MinuteScore
from serving.clock import TestClock
from serving.storage.action_store import ActionStore
from serving.storage.database import Database
from serving.storage.digest_record import (
    DayMood,
    Digest,
    DigestInterval,
    Figures,
    Incident,
    IncidentRecovery,
    KolMood,
    Peak,
    Precision,
    WithdrawnAlert,
)
from serving.storage.kol_store import KolProfileRecord, KolStore
from serving.storage.pipeline_step import PipelineStep
from serving.storage.step_store import StepStore
from serving.triage.actions import ActionKind, ActionRequest
from serving.triage.triage_status import Verdict
from tests.serving.conftest import NewUrl
from tests.serving.late import rederive

# Noon of Saturday, 21 November 2026, in Hanoi.
NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)
HANOI = "Asia/Ho_Chi_Minh"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_BEGAN = datetime(2026, 11, 20, 1, 40, tzinfo=UTC)
_FIGURES = Figures(_BEGAN, _BEGAN + 30 * MINUTE, 271, 0.68, 63.6, 0.14)
_STORM = Incident(
    alert_id="5f1c0e9a7b24d683",
    kol_id="mirelle-vane",
    name="Mirelle Vane",
    kind=AlertKind.BACKLASH,
    severity=Severity.CRITICAL,
    began=_BEGAN,
    ended=_BEGAN + 200 * MINUTE,
    closed=False,
    waves=2,
    figures=_FIGURES,
    top_post="spf-drops-launch",
    peak=Peak(_BEGAN + 20 * MINUTE, 161, 119.4),
    verdict=Verdict.CONFIRMED,
    judged_by="linh",
)
_FALSE = replace(
    _STORM,
    alert_id="77aa0e9a7b24d683",
    kol_id="otto-brandt",
    name="Otto Brandt",
    kind=AlertKind.SLOW_BURN,
    severity=Severity.WARNING,
    began=_BEGAN + 4 * HOUR,
    ended=None,
    closed=True,
    waves=1,
    top_post=None,
    peak=Peak(_BEGAN + 6 * HOUR, 12, 7.2),
    figures=Figures(_BEGAN + 4 * HOUR, _BEGAN + 10 * HOUR, 96, 0.41, 80.2, 0.22),
    verdict=Verdict.FALSE_ALARM,
    judged_by="mai",
)
_BRIGADE = replace(
    _STORM,
    alert_id="31d90e9a7b24d683",
    kol_id="lena-tran",
    name="Lena Trần",
    kind=AlertKind.BRIGADE,
    severity=Severity.WARNING,
    began=_BEGAN + 14 * HOUR,
    ended=None,
    waves=1,
    top_post="giveaway-rules",
    peak=Peak(_BEGAN + 15 * HOUR, 44, 38.6),
    figures=Figures(_BEGAN + 14 * HOUR, _BEGAN + 15 * HOUR, 118, 0.77, 40.1, 0.11),
    verdict=None,
    judged_by=None,
)
_PRAISE = replace(
    _STORM,
    alert_id="99bb0e9a7b24d683",
    kol_id="ha-may",
    name="Hạ Mây",
    kind=AlertKind.PRAISE_SURGE,
    severity=Severity.INFO,
    began=_BEGAN + 7 * HOUR,
    ended=_BEGAN + 9 * HOUR,
    waves=1,
    top_post="tet-2027",
    peak=Peak(_BEGAN + 7 * HOUR, 88, 2.0),
    figures=Figures(_BEGAN + 7 * HOUR, _BEGAN + 8 * HOUR, 402, 0.03, 51.0, 0.09),
    verdict=None,
    judged_by=None,
)
_KOLS = (
    KolMood("lena-tran", "Lena Trần", 812, 640.0, 0.02, 0.36, 0.33, 0.11, 1, Severity.WARNING, ()),
    KolMood("otto-brandt", "Otto Brandt", 1034, 960.2, -0.12, 0.05, 0.38, 0.22, 0, None, ()),
    KolMood("mirelle-vane", "Mirelle Vane", 4210, 1460.0, -0.34, 0.41, 0.52, 0.14, 0, None, ()),
    KolMood("ha-may", "Hạ Mây", 1840, 1190.0, 0.63, 0.55, 0.05, 0.09, 0, None, ()),
    KolMood("new-kol", None, 12, None, 0.2, None, 0.21, None, 0, None, ()),
    KolMood("quiet", "Quiet One", 0, 14.2, None, 0.3, None, None, 0, None, ()),
)


@pytest.fixture
def day() -> Digest:
    """A Friday with everything in it, written at eight the next morning."""
    written = datetime(2026, 11, 21, 1, tzinfo=UTC)
    return Digest(
        name="acme",
        every=DigestInterval.DAY,
        first=date(2026, 11, 20),
        last=date(2026, 11, 20),
        timezone=HANOI,
        since=datetime(2026, 11, 19, 17, tzinfo=UTC),
        until=datetime(2026, 11, 20, 17, tzinfo=UTC),
        due_at=written,
        written_at=written,
        over=True,
        kols=_KOLS,
        incidents=(_STORM, _FALSE, _BRIGADE),
        notices=(_PRAISE,),
        recoveries=(
            IncidentRecovery(
                _STORM.alert_id, _STORM.kol_id, _STORM.name, AlertKind.BACKLASH,
                _BEGAN, _BEGAN + 200 * MINUTE,
            ),
        ),
        precision=Precision(12, 19, 14, 3, 14 / 17, 0.59, 0.938),
    )  # fmt: skip


@pytest.fixture
def corrected(day: Digest) -> Digest:
    """The same Friday, with what comments that came late have shown since the digest before."""
    late = replace(
        _STORM,
        alert_id="c0de0e9a7b24d683",
        severity=Severity.WARNING,
        began=_BEGAN - 3 * DAY,
        ended=_BEGAN - 3 * DAY + 200 * MINUTE,
        waves=1,
        peak=Peak(_BEGAN - 3 * DAY + 20 * MINUTE, 161, 119.4),
        verdict=None,
        judged_by=None,
        found_at=_BEGAN + 5 * HOUR,
    )
    gone = WithdrawnAlert(
        "d00d0e9a7b24d683", "ha-may", "Hạ Mây", AlertKind.SLOW_BURN, Severity.WARNING,
        _BEGAN - 2 * DAY, _BEGAN + 6 * HOUR,
    )  # fmt: skip
    return replace(day, incidents=day.incidents[:1], found_late=(late,), withdrawn=(gone,))


@pytest.fixture
def week(day: Digest) -> Digest:
    """The week of that Friday."""
    first = date(2026, 11, 16)
    return replace(
        day,
        every=DigestInterval.WEEK,
        first=first,
        last=first + 6 * DAY,
        since=datetime(2026, 11, 15, 17, tzinfo=UTC),
        until=datetime(2026, 11, 22, 17, tzinfo=UTC),
        due_at=datetime(2026, 11, 23, 1, tzinfo=UTC),
        written_at=datetime(2026, 11, 23, 4, 20, tzinfo=UTC),
        kols=tuple(replace(kol, days=_days(first, kol)) for kol in _KOLS),
    )


def _days(first: date, kol: KolMood) -> tuple[DayMood, ...]:
    """Days that make up a KOL's week; on the last one there was nothing."""
    parts = [(16, 0.1), (15, 0.14), (17, 0.06), (16, 0.1), (22, -0.24), (14, -0.05)]
    counts = [kol.comments * share // 100 for share, _ in parts]
    counts[0] += kol.comments - sum(counts)
    days = [
        DayMood(first + number * DAY, count, None if kol.mood is None else kol.mood + lift)
        for number, (count, (_, lift)) in enumerate(zip(counts, parts, strict=True))
    ]
    return (*days, DayMood(first + 6 * DAY, 0, None))


def silent(digest: Digest) -> Digest:
    """The same period without anything in it."""
    return replace(
        digest,
        kols=tuple(
            replace(kol, comments=0, mood=None, negative_share=None, open_alerts=0, worst_open=None)
            for kol in digest.kols
        ),
        incidents=(),
        notices=(),
        recoveries=(),
    )


def event(reason: str, at: datetime, **change: Any) -> AlertEvent:
    """A transition of an alert; of a1, a backlash on lena, unless told otherwise."""
    began = change.pop("began", at - 30 * MINUTE)
    comments, negative = change.pop("comments", 100), change.pop("negative", 60.0)
    evidence = Evidence(
        at - 30 * MINUTE, at, began, comments, negative, 20.0, 0.1, 5.0, (), None, "It turned."
    )
    kind = AlertKind(change.pop("kind", "backlash"))
    severity = Severity(change.pop("severity", "warning"))
    values = {"alert_id": "a1", "kol_id": "lena", "kind": kind, "severity": severity}
    return AlertEvent(**values | change, reason=Reason(reason), at=at, evidence=evidence)


class Archive:
    """A database, and what is to be digested put into it."""

    def __init__(self, database: Database, clock: TestClock) -> None:
        self.database = database
        self.clock = clock
        self._steps = StepStore(database)
        self._count = 0

    async def kol(self, kol_id: str, name: str | None = None) -> None:
        await KolStore(self.database).put(kol_id, KolProfileRecord(name=name), self.clock.now())

    async def say(
        self, kol_id: str, at: datetime, comments: int = 1, *, negative: float, positive: float
    ) -> None:
        """Comments of a minute, as the pipeline would have processed them."""
        scored = []
        for _ in range(comments):
            self._count += 1
            comment = Comment(
                kol_id=kol_id, platform="x", comment_id=str(self._count), created_at=at, text="-"
            )
            scored.append(
                (self._count, ScoredComment(comment, negative, 1 - negative - positive, positive))
            )
        await self._commit(scored=scored)

    async def read(
        self, kol_id: str, at: datetime, comments: int = 1, *, rate: float, share: float,
        judged: bool = True,
    ) -> None:  # fmt: skip
        """What the detector expected in a minute."""
        minute_score = MinuteScore(
            kol_id=kol_id, start=at, comments=comments, negative=0.0, positive=0.0, excess=0.0,
            expected_comments=rate, expected_negative_share=share, rho_loud=0.0, doubt=0.0,
            phi=1.0, active=1.0, judged=judged, scores=(),
        )  # fmt: skip
        await self._commit(minute_scores=[minute_score])

    async def befall(self, reason: str, at: datetime, **change: Any) -> None:
        """A transition of an alert; of a1, a backlash on lena, unless told otherwise."""
        await self._commit(events=[event(reason, at, **change)])

    async def find(self, *events: AlertEvent, now: datetime, kol_id: str = "lena") -> None:
        """A re-run that derives these events of a KOL."""
        steps, seq = self._steps, self._count
        await rederive(self.database, steps, *events, now=now, kol_id=kol_id, seq=seq)

    async def do(self, kind: ActionKind, alert_id: str = "a1") -> None:
        assert await ActionStore(self.database).record(
            alert_id, ActionRequest(kind, "mai"), self.clock.now()
        )

    async def _commit(self, **derived: Any) -> None:
        before = await self._steps.progress()
        await self._steps.commit(PipelineStep(seq=self._count, model="m", **derived), before)


@pytest.fixture
async def archive(new_url: NewUrl) -> AsyncIterator[Archive]:
    database = Database(new_url())
    yield Archive(database, TestClock(NOON))
    await database.close()
