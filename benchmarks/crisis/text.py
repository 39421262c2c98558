"""The text level: sends comments one by one through the engine, like the service.

The streams are those of the count level, with the same comments and true classes in the same
minutes; comments of a platform outage have the time of their delivery. Drivers are left out,
because they do not affect alerts, and so are most large KOLs (see `KOLS`).
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from benchmarks.crisis import ours, protocol
from benchmarks.crisis.bench import OURS, DetectorRow, policy_for
from benchmarks.crisis.comments import Pool
from benchmarks.crisis.delivery import ArrivingStream, deliver
from benchmarks.crisis.scoring import KolOutcome, judge
from benchmarks.crisis.stream import EPOCH, Stream, generate
from monitoring.alerts import AlertEvent
from monitoring.engine import Engine
from monitoring.policy import Policy
from serving.settings import Settings

# KOLs per tier. Two mega KOLs have about nine million comments, so there are fewer of the large
# ones.
KOLS = {"nano": 20, "micro": 20, "mid": 20, "macro": 6, "mega": 2}
BUDGET = protocol.BUDGETS[0]
_SILENT_AFTER = float(Settings.model_fields["idle_after"].default)  # seconds
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class TextRun:
    """The engine's result for one KOL's comments.

    Attributes:
        pages: minutes (rounded up) in which the engine paged.
        resolutions: (page, resolution) pairs in minutes.
        kinds: kind of each page, in order.
        delivered: number of comments, duplicates included.
        late: of these, arrived after their window had closed.
        repeats: of these, duplicates of a comment in an open window.
    """

    pages: list[int] = field(default_factory=list)
    resolutions: list[tuple[int, int]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    delivered: int = 0
    late: int = 0
    repeats: int = 0

    def note(self, events: list[AlertEvent], at: float) -> None:
        """Add the events of an observation at `at` (seconds since `EPOCH`)."""
        minute = math.ceil(at / 60)
        for event in events:
            if event.pages:
                self.pages.append(minute)
                self.kinds.append(event.kind)
            elif event.reason == "resolved" and event.severity != "info":
                self.resolutions.append((self.pages[-1], minute))


@dataclass(frozen=True, slots=True)
class TextResult:
    """The results of one KOL at both levels.

    Attributes:
        tier: its tier's name.
        audience: the labelled set of its comments.
        counted: outcome of the count level.
        read: outcome of the text level; the time of a page is when its comments have arrived.
        called: (shape of a caught crisis, kind of its first page).
        delivered: number of comments, duplicates included.
        late: of these, arrived after their window had closed.
    """

    tier: str
    audience: str
    counted: KolOutcome
    read: KolOutcome
    called: tuple[tuple[str, str], ...]
    delivered: int
    late: int


@dataclass(frozen=True, slots=True)
class TextJob:
    """One KOL to run."""

    seed: int
    index: int
    pool: Pool


def jobs(seed: int, pools: list[Pool], kols: dict[str, int]) -> list[TextJob]:
    """The KOLs of all tiers, largest first; audiences alternate within a tier."""
    tiers = protocol.TIERS
    return [
        TextJob(seed, place + len(tiers) * number, pools[(number + place) % len(pools)])
        for place, tier in reversed(list(enumerate(tiers)))
        for number in range(kols.get(tier.name, 0))
    ]


def feed(delivery: ArrivingStream, policy: Policy) -> TextRun:
    """Send a KOL's comments to a new engine, in order of arrival.

    If nothing arrives for `idle_after`, the KOL's event time advances by the clock, like in the
    service: minute by minute, until the last window is closed and no alert is open.
    """
    engine, run = Engine(policy), TextRun()
    kol, arrived, newest = delivery.kol, 0.0, EPOCH
    for arrival, scored in delivery.comments():
        if arrival - arrived > _SILENT_AFTER and newest > EPOCH:
            _advance_idle(engine, run, kol, arrived, arrival, newest, policy)
        observation = engine.observe(scored)
        run.note(observation.events, arrival)
        run.delivered += 1
        run.late += observation.late
        run.repeats += observation.duplicate
        arrived, newest = arrival, max(newest, scored.comment.created_at)
    return run


def _advance_idle(
    engine: Engine,
    run: TextRun,
    kol: str,
    since: float,
    until: float,
    newest: datetime,
    policy: Policy,
) -> None:
    """Advance event time between two arrivals that are far apart."""
    last = newest + _MINUTE + policy.lateness
    to = newest.replace(second=0, microsecond=0) + _MINUTE
    while engine.alert(kol) is not None or to <= last:
        now = since + max(_SILENT_AFTER, (to - newest).total_seconds())
        if now >= until:
            return
        run.note(engine.advance(kol, to).events, now)
        to += _MINUTE


def measure(job: TextJob) -> TextResult:
    """Run one KOL at the count level and at the text level."""
    tier = protocol.TIERS[job.index % len(protocol.TIERS)]
    stream = generate(job.seed, job.index, tier)
    policy = policy_for(BUDGET)
    counted = ours.run(stream, policy)
    rng = np.random.default_rng([job.seed, job.index, 2])
    run = feed(deliver(stream, job.pool, rng), policy)
    return TextResult(
        tier.name,
        job.pool.name,
        judge(stream, counted.pages, counted.resolutions),
        judge(stream, run.pages, run.resolutions),
        _called(stream, run),
        run.delivered,
        run.late,
    )


def _called(stream: Stream, run: TextRun) -> tuple[tuple[str, str], ...]:
    named = []
    for incident in stream.incidents:
        kinds = [
            kind
            for page, kind in zip(run.pages, run.kinds, strict=True)
            if incident.start < page <= incident.end
        ]
        if incident.crisis and kinds:
            named.append((incident.kind, kinds[0]))
    return tuple(named)


def rows(results: list[TextResult]) -> tuple[DetectorRow, DetectorRow]:
    """The rows of count level and text level, with one outcome per KOL in the same order."""
    sensitivity = policy_for(BUDGET).sensitivity
    counted = tuple(result.counted for result in results)
    read = tuple(result.read for result in results)
    return (
        DetectorRow(f"{OURS}, count level", BUDGET, sensitivity, counted),
        DetectorRow(f"{OURS}, text level", BUDGET, sensitivity, read),
    )


def names(results: list[TextResult]) -> dict[str, dict[str, int]]:
    """Shape of a caught crisis → kind of its first page → number."""
    called: dict[str, Counter[str]] = {}
    for result in results:
        for shape, kind in result.called:
            called.setdefault(shape, Counter())[kind] += 1
    return {shape: dict(kinds) for shape, kinds in sorted(called.items())}
