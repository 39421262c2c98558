"""`python -m benchmarks.crisis --kols 25`: the crisis table for the engine and its peers."""

import argparse
from pathlib import Path

from rich.console import Console

from benchmarks.crisis import protocol
from benchmarks.crisis.bench import Job, rows, run_all
from benchmarks.crisis.report import figures, save, show

_RESULTS = Path(__file__).parents[1] / "results"


def main() -> None:
    """Run the benchmark and write its result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crisis", description=__doc__)
    parser.add_argument("--kols", type=int, default=100, help="test KOLs, a fifth per tier")
    parser.add_argument(
        "--calibration-kols", type=int, help="KOLs the peers' thresholds are fitted on; as --kols"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="result file; default benchmarks/results/")
    args = parser.parse_args()
    fit = args.calibration_kols or args.kols
    calibration = run_all(
        [Job(protocol.CALIBRATION_SEED, index, False, True) for index in range(fit)],
        args.processes,
        "peers, calibration",
    )
    test = run_all(
        [Job(protocol.TEST_SEED, index, True, True) for index in range(args.kols)],
        args.processes,
        "all, test",
    )
    table = [figures(row) for row in rows(calibration, test)]
    costs = [result.cost for result in test]
    show(table, costs, Console())
    out = args.out or _RESULTS / f"crisis_{args.kols}.json"
    save(out, table, costs, args.kols)


if __name__ == "__main__":
    main()
