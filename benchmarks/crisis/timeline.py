"""One KOL's timeline for a plot: comments by the hour, incidents and pages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.crisis import protocol
from benchmarks.crisis.scoring import KolOutcome
from benchmarks.crisis.stream import Stream

HOURS_WARM_UP = protocol.WARM_UP_DAYS * 24


@dataclass(frozen=True, slots=True)
class Timeline:
    """One KOL after the warm-up.

    Attributes:
        kol: the KOL.
        tier: the KOL's tier.
        comments: per hour.
        negative: of these, predicted negative.
        incidents: (kind, whether it is a crisis, first minute, last minute).
        pages: minutes of pages.
        resolutions: minutes of resolutions.
        missed: number of crises without a page.
        false: minutes of false pages.
    """

    kol: str
    tier: str
    comments: tuple[int, ...]
    negative: tuple[int, ...]
    incidents: tuple[tuple[str, bool, int, int], ...]
    pages: tuple[int, ...]
    resolutions: tuple[int, ...]
    missed: int
    false: tuple[int, ...]

    @property
    def faults(self) -> int:
        """Number of missed crises and false pages."""
        return self.missed + len(self.false)


def timeline(
    stream: Stream,
    pages: Sequence[int],
    resolutions: Sequence[tuple[int, int]],
    outcome: KolOutcome,
) -> Timeline:
    """The timeline of a stream and its judged pages."""
    warm = HOURS_WARM_UP * 60
    return Timeline(
        stream.kol,
        stream.tier,
        _hourly(stream.comments),
        _hourly(stream.negative),
        tuple((one.kind, one.crisis, one.start, one.end) for one in stream.incidents),
        tuple(page for page in pages if page > warm),
        tuple(end for page, end in resolutions if page > warm),
        sum(crisis.delay is None for crisis in outcome.caught),
        tuple(page.minute for page in outcome.false),
    )


def _hourly(counts: np.ndarray) -> tuple[int, ...]:
    sums = counts.reshape(-1, 60).sum(axis=1)[HOURS_WARM_UP:]
    return tuple(sums.tolist())


def worst(lines: Sequence[Timeline]) -> list[Timeline]:
    """For each tier the KOL with the most errors, the first of several."""
    chosen = []
    for tier in protocol.TIERS:
        mine = [line for line in lines if line.tier == tier.name]
        if mine:
            chosen.append(max(mine, key=lambda line: line.faults))
    return chosen
