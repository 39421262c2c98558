"""`python -m benchmarks.crisis`: the engine and other detectors on simulated crises.

By default detectors see counts per minute. `--text` sends real comments one by one and compares the
result with the counts of the same KOLs.
"""

import argparse
from pathlib import Path

from rich.console import Console

from benchmarks.crisis import comments, protocol, text, text_report
from benchmarks.crisis.bench import Job, measure, rows
from benchmarks.crisis.details import details, details_path, save_details
from benchmarks.crisis.parallel import run_all
from benchmarks.crisis.report import figures, save, show
from model.classifier import SentimentClassifier

RESULTS = Path(__file__).parents[1] / "results"
SEEDS = {"test": protocol.TEST_SEED, "calibration": protocol.CALIBRATION_SEED}
_WIDTH = 150


def main() -> None:
    """Run the benchmark and write its result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crisis", description=__doc__)
    parser.add_argument(
        "--kols", type=int, default=100, help="number of test KOLs, a fifth per tier"
    )
    parser.add_argument(
        "--calibration-kols", type=int, help="KOLs to fit the peers' thresholds on; default: --kols"
    )
    parser.add_argument("--text", action="store_true", help="run the text level instead")
    parser.add_argument(
        "--text-kols",
        type=lambda words: {k: int(v) for k, v in (word.split("=") for word in words.split(","))},
        default=text.KOLS,
        help="KOLs per tier at the text level, e.g. nano=20,micro=20,mid=20,macro=6,mega=2",
    )
    parser.add_argument("--seed", choices=SEEDS, default="test", help="which KOLs to measure")
    parser.add_argument(
        "--data", type=Path, default=comments.FOLDER, help="folder with the labelled val splits"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="result file; default benchmarks/results/")
    args = parser.parse_args()
    if args.text:
        run_texts(args)
    else:
        run_counts(args)


def run_counts(args: argparse.Namespace) -> None:
    """Run all detectors on counts per minute."""
    fit = args.calibration_kols or args.kols
    calibration = run_all(
        measure,
        [Job(protocol.CALIBRATION_SEED, index, False, True) for index in range(fit)],
        args.processes,
        "peers, calibration",
    )
    test = run_all(
        measure,
        [Job(SEEDS[args.seed], index, True, True) for index in range(args.kols)],
        args.processes,
        f"all, {args.seed}",
    )
    table = rows(calibration, test)
    results = [figures(row) for row in table]
    costs = [result.cost for result in test]
    show(results, costs, Console(width=_WIDTH))
    out = args.out or RESULTS / f"crisis_{args.kols}.json"
    save(out, results, costs, args.kols, SEEDS[args.seed])
    save_details(details_path(out), details(test, table))


def run_texts(args: argparse.Namespace) -> None:
    """Run the engine comment by comment."""
    pools = comments.pools(args.data)
    work = text.jobs(SEEDS[args.seed], pools, args.text_kols)
    results = run_all(text.measure, work, args.processes, "text level")
    result = text_report.report(results, pools, SentimentClassifier.load().model_id)
    text_report.show(result, Console(width=_WIDTH))
    text_report.save(args.out or RESULTS / "crisis_text.json", result, SEEDS[args.seed])


if __name__ == "__main__":
    main()
