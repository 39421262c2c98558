"""The text level: comment by comment through the engine, as a service would feed it.

The streams are those of the count level: the same comments in the same minutes, truly negative or
not; what a platform's outage held back is dated when it was delivered, as there. Left out: the
drivers (they decide nothing), and most large KOLs (see `KOLS`).
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing import Pool as Processes

import numpy as np

from benchmarks.crisis import ours, protocol
from benchmarks.crisis.bench import OURS, DetectorRow, policy_for, progress
from benchmarks.crisis.comments import Pool
from benchmarks.crisis.delivery import EPOCH, ArrivingStream, deliver
from benchmarks.crisis.scoring import KolOutcome, judge
from benchmarks.crisis.stream import Stream, generate
from monitoring.alerts import AlertEvent
from monitoring.engine import Engine
from monitoring.policy import Policy
from serving.settings import Settings

# KOLs per tier. The large ones write most of the comments, and so are fewer: two mega KOLs are
# about nine million comments.
KOLS = {"nano": 20, "micro": 20, "mid": 20, "macro": 6, "mega": 2}
BUDGET = protocol.BUDGETS[0]
_SILENT_AFTER = float(Settings.model_fields["idle_after"].default)  # seconds
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class TextRun:
    """What came of one KOL's comments.

    Attributes:
        pages: minutes (rounded up) in which the service could page.
        resolutions: (page, resolution) pairs in minutes.
        kinds: what each page was called, in order.
        delivered: comments, repeats included.
        late: of which came after their minute was closed.
        repeats: of which were seen to repeat a comment of an open minute.
    """

    pages: list[int] = field(default_factory=list)
    resolutions: list[tuple[int, int]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    delivered: int = 0
    late: int = 0
    repeats: int = 0

    def note(self, events: list[AlertEvent], at: float) -> None:
        """Take what an observation at `at` (seconds since `EPOCH`) brought about."""
        minute = math.ceil(at / 60)
        for event in events:
            if event.pages:
                self.pages.append(minute)
                self.kinds.append(event.kind)
            elif event.reason == "resolved" and event.severity != "info":
                self.resolutions.append((self.pages[-1], minute))


@dataclass(frozen=True, slots=True)
class TextResult:
    """One KOL at both levels.

    Attributes:
        tier: its tier's name.
        audience: the set its comments come from.
        counted: outcome of the count level.
        read: outcome of the text level; a page counts when its comments have arrived.
        called: per shape of a caught crisis, what its first page was called.
        delivered: comments, repeats included.
        late: of which came after their minute was closed.
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
    """One KOL to be read."""

    seed: int
    index: int
    pool: Pool


def jobs(seed: int, pools: list[Pool], kols: dict[str, int]) -> list[TextJob]:
    """The KOLs of every tier, the largest first; audiences take turns within a tier."""
    tiers = protocol.TIERS
    return [
        TextJob(seed, place + len(tiers) * number, pools[(number + place) % len(pools)])
        for place, tier in reversed(list(enumerate(tiers)))
        for number in range(kols.get(tier.name, 0))
    ]


def listen(delivery: ArrivingStream, policy: Policy) -> TextRun:
    """Feed a KOL's comments in order of arrival to a fresh engine.

    When nothing has arrived for as long as the service waits (`idle_after`), the KOL's time goes on
    by the clock as the service lets it: minute by minute, far enough to close the last one, and on
    and on while an alert is open.
    """
    engine, heard = Engine(policy), TextRun()
    kol, arrived, newest = delivery.kol, 0.0, EPOCH
    for arrival, scored in delivery.comments():
        if arrival - arrived > _SILENT_AFTER and newest > EPOCH:
            _pass_silence(engine, heard, kol, arrived, arrival, newest, policy)
        observation = engine.observe(scored)
        heard.note(observation.events, arrival)
        heard.delivered += 1
        heard.late += observation.late
        heard.repeats += observation.duplicate
        arrived, newest = arrival, max(newest, scored.comment.created_at)
    return heard


def _pass_silence(
    engine: Engine,
    heard: TextRun,
    kol: str,
    since: float,
    until: float,
    newest: datetime,
    policy: Policy,
) -> None:
    """What the service does between two arrivals that lie far apart."""
    last = newest + _MINUTE + policy.lateness
    to = newest.replace(second=0, microsecond=0) + _MINUTE
    while engine.alert(kol) is not None or to <= last:
        now = since + max(_SILENT_AFTER, (to - newest).total_seconds())
        if now >= until:
            return
        heard.note(engine.advance(kol, to).events, now)
        to += _MINUTE


def measure(job: TextJob) -> TextResult:
    """One KOL at count level and at text level."""
    tier = protocol.TIERS[job.index % len(protocol.TIERS)]
    stream = generate(job.seed, job.index, tier)
    policy = policy_for(BUDGET)
    counted = ours.run(stream, policy)
    rng = np.random.default_rng([job.seed, job.index, 2])
    heard = listen(deliver(stream, job.pool, rng), policy)
    return TextResult(
        tier.name,
        job.pool.name,
        judge(stream, counted.pages, counted.resolutions),
        judge(stream, heard.pages, heard.resolutions),
        _called(stream, heard),
        heard.delivered,
        heard.late,
    )


def _called(stream: Stream, heard: TextRun) -> tuple[tuple[str, str], ...]:
    named = []
    for incident in stream.incidents:
        kinds = [
            kind
            for page, kind in zip(heard.pages, heard.kinds, strict=True)
            if incident.start < page <= incident.end
        ]
        if incident.crisis and kinds:
            named.append((incident.kind, kinds[0]))
    return tuple(named)


def run_all(work: list[TextJob], processes: int) -> list[TextResult]:
    """Measure every KOL, with a progress bar."""
    with progress("text level", len(work)) as tick, Processes(processes) as pool:
        results = []
        for result in pool.imap(measure, work, chunksize=1):
            results.append(result)
            tick()
        return results


def rows(results: list[TextResult]) -> tuple[DetectorRow, DetectorRow]:
    """Count level and text level, one outcome a KOL in the same order."""
    sensitivity = policy_for(BUDGET).sensitivity
    counted = tuple(result.counted for result in results)
    read = tuple(result.read for result in results)
    return (
        DetectorRow(f"{OURS}, count level", BUDGET, sensitivity, counted),
        DetectorRow(f"{OURS}, text level", BUDGET, sensitivity, read),
    )


def names(results: list[TextResult]) -> dict[str, dict[str, int]]:
    """Per shape of a caught crisis, how often its first page was called what."""
    called: dict[str, Counter[str]] = {}
    for result in results:
        for shape, kind in result.called:
            called.setdefault(shape, Counter())[kind] += 1
    return {shape: dict(kinds) for shape, kinds in sorted(called.items())}
