"""What classifier errors change on the airline stream: `python -m benchmarks.airline_errors`.

Replaces the human labels by simulated predictions: negative with probability 0.75 for a negative
comment and 0.08 for any other. Prints the pages per account and seed, in New York time.
"""

import argparse
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from monitoring.engine import Engine
from monitoring.windows import WindowStats

_STREAM = Path(__file__).parents[2] / "shared" / "streams" / "airline_feb2015.parquet"
_NEW_YORK = ZoneInfo("America/New_York")


def pages(labelled: pd.DataFrame, negative: np.ndarray) -> dict[str, list[str]]:
    """Pages of each account, given P(negative) of each comment."""
    frame = labelled.assign(
        minute=labelled["created_at"].dt.floor("min"),
        negative=negative,
        positive=(labelled["label"] == "positive") * (1 - negative),
    )
    grouped = frame.groupby(["kol_id", "minute"])
    minutes = grouped.agg(
        n=("negative", "size"), k=("negative", "sum"), positive=("positive", "sum")
    )
    engine, found = Engine(), {}
    for (kol, minute), row in minutes.iterrows():
        stats = WindowStats(kol, minute.to_pydatetime(), int(row.n), row.k, row.positive)
        for event in engine.observe_window(stats):
            if event.pages:
                at = event.at.astimezone(_NEW_YORK)
                found.setdefault(kol, []).append(f"{at:%d %b %H:%M}")
    return found


def main() -> None:
    """Print the pages with the labels themselves and with each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--stream", type=Path, default=_STREAM)
    args = parser.parse_args()
    labelled = pd.read_parquet(args.stream)
    truth = (labelled["label"] == "negative").to_numpy()
    print("labels", pages(labelled, truth.astype(float)))
    for seed in range(args.seeds):
        rng = np.random.default_rng(seed)
        called = rng.random(len(truth)) < np.where(truth, 0.75, 0.08)
        print("seed", seed, pages(labelled, called.astype(float)))


if __name__ == "__main__":
    main()
