"""Runs all detectors on all KOLs: calibration, then test."""

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.crisis import ours, peers, protocol
from benchmarks.crisis.scoring import Caught, FalsePage, KolOutcome, judge
from benchmarks.crisis.stream import generate
from benchmarks.crisis.timeline import Timeline, timeline
from monitoring.policy import Policy

DAYS_PER_MONTH = 30.0
OURS = "Groundswell"


@dataclass(frozen=True, slots=True)
class Cost:
    """The engine's cost for one KOL."""

    tier: str
    windows: int
    seconds: float
    state_bytes: int
    comments: int


@dataclass(frozen=True, slots=True)
class KolResult:
    """All results of one KOL.

    Attributes:
        ours: budget → outcome of the engine.
        peers: peer → one outcome per threshold of its grid.
        cost: of the engine.
        timeline: of the engine at the first budget; None if it did not run.
    """

    ours: dict[float, KolOutcome]
    peers: dict[str, list[KolOutcome]]
    cost: Cost
    timeline: Timeline | None = None


@dataclass(frozen=True, slots=True)
class DetectorRow:
    """One detector at one budget, with one outcome per KOL."""

    name: str
    budget: float
    threshold: float
    outcomes: tuple[KolOutcome, ...]

    @property
    def caught(self) -> list[Caught]:
        """All crises."""
        return [crisis for outcome in self.outcomes for crisis in outcome.caught]

    @property
    def false(self) -> list[FalsePage]:
        """All false pages."""
        return [page for outcome in self.outcomes for page in outcome.false]

    @property
    def false_rate(self) -> float:
        """False pages per KOL-week."""
        return len(self.false) / (len(self.outcomes) * protocol.WEEKS)


def policy_for(budget: float) -> Policy:
    """The policy for a budget in false pages per KOL-week; a policy's unit is the month."""
    return Policy(sensitivity=budget * DAYS_PER_MONTH / 7)


@dataclass(frozen=True, slots=True)
class Job:
    """One KOL to measure."""

    seed: int
    index: int
    with_ours: bool
    with_peers: bool


def measure(job: Job) -> KolResult:
    """Generate one KOL and run the requested detectors."""
    tier = protocol.TIERS[job.index % len(protocol.TIERS)]
    stream = generate(job.seed, job.index, tier)
    mine: dict[float, KolOutcome] = {}
    cost = Cost(tier.name, 0, 0.0, 0, int(stream.comments.sum()))
    line = None
    for budget in protocol.BUDGETS if job.with_ours else ():
        run = ours.run(stream, policy_for(budget))
        mine[budget] = judge(stream, run.pages, run.resolutions, run.aftershocks)
        cost = Cost(tier.name, run.windows, run.seconds, run.state_bytes, cost.comments)
        line = line or timeline(stream, run.pages, run.resolutions, mine[budget])
    others: dict[str, list[KolOutcome]] = {}
    for peer in peers.PEERS if job.with_peers else ():
        score = peer.score(stream)
        others[peer.name] = [
            judge(stream, peers.pages(score, threshold)) for threshold in peer.grid
        ]
    return KolResult(mine, others, cost, line)


def calibrate(results: Iterable[KolResult], name: str, budget: float) -> int:
    """Index of a peer's lowest threshold that meets the budget on these KOLs."""
    kols = [result.peers[name] for result in results]
    count = len(kols[0])
    for index in range(count):
        false = sum(len(kol[index].false) for kol in kols)
        if false / (len(kols) * protocol.WEEKS) <= budget:
            return index
    return count - 1


def rows(calibration: list[KolResult], test: list[KolResult]) -> list[DetectorRow]:
    """One row per budget and detector, the peers at their calibrated thresholds."""
    table = []
    for budget in protocol.BUDGETS:
        for peer in peers.PEERS:
            index = calibrate(calibration, peer.name, budget)
            table.append(
                DetectorRow(
                    peer.name,
                    budget,
                    peer.grid[index],
                    tuple(result.peers[peer.name][index] for result in test),
                )
            )
        mine = tuple(result.ours[budget] for result in test)
        table.append(DetectorRow(OURS, budget, policy_for(budget).sensitivity, mine))
    return table
