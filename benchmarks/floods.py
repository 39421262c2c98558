"""`python -m benchmarks.floods`: which comment floods are reported, on the calibration KOLs.

Uses the KOLs of the crisis benchmark's text level: real comments, and sometimes a spam wave in
which a few accounts repeat a few texts with neutral labels. If the model reads these as angry, a
brigade is reported instead. The entries to a prize draw differ here, so no giveaway should be
reported.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.crisis import comments, protocol, text
from benchmarks.crisis.delivery import deliver
from benchmarks.crisis.parallel import run_all
from benchmarks.crisis.stream import EPOCH, generate
from monitoring.engine import Engine

KOLS = {"nano": 8, "micro": 12, "mid": 12}
_TAIL = 60  # minutes after a wave in which it is the cause of a flood
_SECONDS = 60.0


def measure(job: text.TextJob) -> Counter[str]:
    """Run one KOL and count its incidents by kind, and the reports during them."""
    tier = protocol.TIERS[job.index % len(protocol.TIERS)]
    stream = generate(job.seed, job.index, tier)
    rng = np.random.default_rng([job.seed, job.index, 2])
    engine = Engine()
    floods: list[float] = []
    angry: list[tuple[float, float]] = []  # start and end of each open backlash
    for _, scored in deliver(stream, job.pool, rng).comments():
        for event in engine.observe(scored).events:
            minute = (event.at - EPOCH).total_seconds() / _SECONDS
            if event.severity == "info":
                if event.kind == "comment_flood" and event.reason != "resolved":
                    floods.append(minute)
            elif event.reason == "resolved":
                angry[-1] = (angry[-1][0], minute)
            elif event.reason != "escalated":
                angry.append((minute, float(protocol.MINUTES)))
    found: Counter[str] = Counter(kols=1)
    for incident in stream.incidents:
        reported = [at for at in floods if incident.start < at <= incident.end + _TAIL]
        floods = [at for at in floods if at not in reported]
        found[incident.kind] += 1
        if reported:
            found[f"{incident.kind}, flood reported"] += 1
        elif incident.kind == "spam":
            backlash = any(
                since < incident.end and until > incident.start for since, until in angry
            )
            found["spam, backlash reported instead" if backlash else "spam, not reported"] += 1
    found["quiet, flood reported"] += len(floods)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floods", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=comments.FOLDER, help="folder with the labelled val splits"
    )
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    work = text.jobs(protocol.CALIBRATION_SEED, comments.pools(args.data), KOLS)
    total: Counter[str] = Counter()
    for found in run_all(measure, work, args.processes, "floods"):
        total += found
    weeks = total["kols"] * protocol.DAYS // 7
    print(f"{total.pop('kols')} KOLs, {weeks} KOL-weeks")
    for name, count in sorted(total.items()):
        print(f"{count:5} {name}")
    if not total["quiet, flood reported"]:
        print("    0 reported in quiet times")


if __name__ == "__main__":
    main()
