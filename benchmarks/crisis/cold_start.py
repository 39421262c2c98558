"""A KOL's first days: what is cried for nothing, and whether a flash is heard.

    python -m benchmarks.crisis.cold_start --kols 50

On the calibration seed, at the shipped sensitivity. The first 14 days of a stream hold no incident,
so every page in them is false; copies of it get a flash at hour 6, 24 or 72 of the KOL's life. The
engine runs as it ships, and with nothing borrowed: a prior worth two comments, and no verdict
before ten were learnt.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import Pool
from statistics import median
from unittest.mock import patch

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.crisis import ours, protocol, shapes
from benchmarks.crisis.protocol import Tier
from benchmarks.crisis.stream import Stream, generate
from monitoring import baseline
from monitoring.policy import Policy

HOURS = (6, 24, 72)
_FIRST = protocol.WARM_UP_DAYS * protocol.MINUTES_PER_DAY
_NOTHING_BORROWED = {"_LENT": 2.0, "_KNOWN": 10.0}


@dataclass(frozen=True, slots=True)
class Start:
    """One KOL's first days under one engine.

    Attributes:
        tier: the KOL's tier.
        false: minutes of the false pages in 14 days.
        delays: per hour of `HOURS`, minutes from the flash's first to the page; MISSED_MINUTES if
            it was over before one came.
    """

    tier: str
    false: tuple[int, ...]
    delays: tuple[float, ...]


def with_flash(stream: Stream, tier: Tier, index: int, hour: int) -> tuple[Stream, int, int]:
    """The stream up to the end of a flash at `hour`, and the flash's first and last minute + 1."""
    rng = np.random.default_rng([protocol.CALIBRATION_SEED, index, hour])
    added = shapes.flash(rng, rng.uniform(*tier.peak))
    begin, end = hour * 60, hour * 60 + added.minutes
    rate = added.rate * stream.comments[:_FIRST].mean()
    dark = rng.poisson(rate * added.negative)
    bright = rng.poisson(rate * added.positive)
    plain = rng.poisson(rate * (1 - added.negative - added.positive))
    called = rng.binomial(dark, protocol.HIT_RATE)
    called += rng.binomial(bright + plain, protocol.FALSE_LABEL_RATE)
    cut = ours.first(stream, end)
    counts = [counts.copy() for counts in (cut.comments, cut.negative, cut.positive)]
    for total, more in zip(
        counts, (dark + bright + plain, called, rng.binomial(bright, 0.8)), strict=True
    ):
        total[begin:] += more
    n, k, positive = counts
    positive = np.minimum(positive, n - k)
    return replace(cut, comments=n, negative=k, positive=positive), begin, end


def start(index: int) -> tuple[Start, Start]:
    """KOL `index` under the engine as it ships, and with nothing borrowed."""
    tier = protocol.TIERS[index % len(protocol.TIERS)]
    stream = generate(protocol.CALIBRATION_SEED, index, tier)
    shipped = watch(stream, tier, index)
    with patch.multiple(baseline, **_NOTHING_BORROWED):
        return shipped, watch(stream, tier, index)


def watch(stream: Stream, tier: Tier, index: int) -> Start:
    """Run the engine on a KOL's first days."""
    policy = Policy()
    false = ours.run(ours.first(stream, _FIRST), policy).pages
    delays = []
    for hour in HOURS:
        stormy, begin, end = with_flash(stream, tier, index, hour)
        hits = [page - begin for page in ours.run(stormy, policy).pages if begin < page <= end]
        delays.append(float(hits[0]) if hits else protocol.MISSED_MINUTES)
    return Start(tier.name, false, tuple(delays))


def row(name: str, starts: Sequence[Start]) -> list[str]:
    """False pages a KOL-week (of which in the first two days), and of each flash its fate."""
    pages = [page for one in starts for page in one.false]
    early = sum(page < 2 * protocol.MINUTES_PER_DAY for page in pages)
    cells = [name, f"{len(pages) / len(starts) / 2:.3f} ({len(pages)}, {early} early)"]
    for place in range(len(HOURS)):
        delays = [one.delays[place] for one in starts]
        heard = [delay for delay in delays if delay < protocol.MISSED_MINUTES]
        middle = f" · {median(heard):g}" if heard else ""
        cells.append(f"{len(heard) / len(delays):.2f}{middle}")
    return cells


def main() -> None:
    """Print both engines by tier: share of the flashes heard, median minutes of those."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crisis.cold_start")
    parser.add_argument("--kols", type=int, default=50)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with Pool(options.processes) as pool:
        pairs = pool.map(start, range(options.kols), chunksize=1)
    for title, starts in zip(
        ("as shipped", "nothing borrowed"), zip(*pairs, strict=True), strict=True
    ):
        table = Table(title=f"{title}, {options.kols} KOLs, calibration seed")
        for heading in ("tier", "false a KOL-week", *(f"hour {hour}" for hour in HOURS)):
            table.add_column(heading)
        for tier in protocol.TIERS:
            table.add_row(*row(tier.name, [one for one in starts if one.tier == tier.name]))
        table.add_row(*row("all", starts))
        Console().print(table)


if __name__ == "__main__":
    main()
