"""What is usual among KOLs of each size, and how much they differ: what a young KOL may borrow.

    python -m benchmarks.crisis.priors --kols 60

Reads the first 14 days, which hold no incident, of KOLs on the calibration seed. The shares of one
tier scatter because KOLs differ and because a fortnight of few posts is a small sample; the second
part is what the engine itself doubts of a share after as long. `monitoring/baseline.py` takes the
last row.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pool

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.crisis import ours, protocol
from benchmarks.crisis.stream import generate
from monitoring.monitor import KolMonitor
from monitoring.policy import Policy

_WARM_UP = protocol.WARM_UP_DAYS * protocol.MINUTES_PER_DAY


@dataclass(frozen=True, slots=True)
class Fortnight:
    """What one KOL showed in 14 days.

    Attributes:
        tier: the KOL's tier.
        per_hour: comments.
        share: of them negative.
        positive: of them positive.
        noise: variance of `share` that comes of seeing no more than 14 days.
    """

    tier: str
    per_hour: float
    share: float
    positive: float
    noise: float


def fortnight(index: int) -> Fortnight:
    """Watch KOL `index` of the calibration seed for 14 days."""
    tier = protocol.TIERS[index % len(protocol.TIERS)]
    stream = ours.first(generate(protocol.CALIBRATION_SEED, index, tier), _WARM_UP)
    monitor = KolMonitor(stream.kol, Policy())
    for window in ours.windows(stream):
        monitor.step(window)
    n = int(stream.comments.sum())
    share = float(stream.negative.sum()) / n
    noise = share * (1 - share) * monitor.baseline.doubt
    positive = float(stream.positive.sum()) / n
    return Fortnight(tier.name, n * 60 / _WARM_UP, share, positive, noise)


def row(name: str, kols: Sequence[Fortnight]) -> tuple[str, ...]:
    """Figures of some KOLs: the mean share, its spread, and the comments that it is worth.

    A beta distribution of the same mean and variance has the concentration `m (1 - m) / v - 1`.
    """
    shares = np.array([kol.share for kol in kols])
    mean, variance = float(shares.mean()), float(shares.var(ddof=1))
    noise = float(np.mean([kol.noise for kol in kols]))
    own = max(variance - noise, 1e-6)
    return (
        name,
        str(len(kols)),
        f"{np.median([kol.per_hour for kol in kols]):.1f}",
        f"{mean:.3f}",
        f"{(variance / len(kols)) ** 0.5:.3f}",
        f"{variance**0.5:.3f}",
        f"{noise**0.5:.3f}",
        f"{mean * (1 - mean) / own - 1:.0f}",
        f"{np.mean([kol.positive for kol in kols]):.3f}",
    )


def main() -> None:
    """Print a row a tier and one for all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crisis.priors")
    parser.add_argument("--kols", type=int, default=60)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with Pool(options.processes) as pool:
        kols = pool.map(fortnight, range(options.kols), chunksize=1)
    table = Table(title=f"first 14 days of {options.kols} KOLs, calibration seed")
    for heading in ("tier", "KOLs", "comments/h", "share", "± se", "sd", "of it noise"):
        table.add_column(heading, justify="left" if heading == "tier" else "right")
    table.add_column("worth (comments)", justify="right")
    table.add_column("positive", justify="right")
    for tier in protocol.TIERS:
        table.add_row(*row(tier.name, [kol for kol in kols if kol.tier == tier.name]))
    table.add_row(*row("all", kols))
    Console().print(table)


if __name__ == "__main__":
    main()
