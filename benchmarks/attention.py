"""`python -m benchmarks.attention`: how often attention surges are reported, by tier of KOLs.

Uses the calibration KOLs of the crisis benchmark. A report is an event that opens an alert, or
opens it again. It is quiet if no crisis and no hard negative is on, or ended within two days; the
two weeks of warm-up do not count. A viral post is attention too: it is counted as reported if a
report falls into it or the day after.
"""

import argparse
from collections import Counter

import numpy as np

from benchmarks.crisis import protocol
from benchmarks.crisis.ours import windows_of
from benchmarks.crisis.protocol import MINUTES, MINUTES_PER_DAY, Tier
from benchmarks.crisis.stream import EPOCH, Stream, generate
from monitoring.engine import Engine
from monitoring.kinds import AlertKind, Reason

_APART = 2 * MINUTES_PER_DAY
_MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY


def reports(stream: Stream) -> list[int]:
    """The minutes of a stream at which attention is reported."""
    engine = Engine()
    events = [event for window in windows_of(stream) for event in engine.observe_window(window)]
    return [
        int((event.at - EPOCH).total_seconds()) // 60
        for event in events
        if event.kind == AlertKind.ATTENTION_SURGE and event.reason != Reason.RESOLVED
    ]


def measure(tier: Tier, kols: int) -> Counter[str]:
    """Run some KOLs of a tier and count their reports."""
    found: Counter[str] = Counter(kols=kols)
    first = protocol.TIERS.index(tier)
    for index in range(first, first + kols * len(protocol.TIERS), len(protocol.TIERS)):
        stream = generate(protocol.CALIBRATION_SEED, index, tier)
        quiet = np.ones(MINUTES + 1, bool)
        quiet[: protocol.WARM_UP_DAYS * MINUTES_PER_DAY] = False
        for incident in stream.incidents:
            quiet[incident.start : incident.end + _APART] = False
        told = reports(stream)
        found["quiet minutes"] += int(quiet.sum())
        found["quiet reports"] += sum(bool(quiet[at]) for at in told)
        for incident in stream.incidents:
            if incident.kind == "viral":
                end = incident.end + MINUTES_PER_DAY
                found["viral posts"] += 1
                found["viral posts reported"] += any(incident.start < at <= end for at in told)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attention", description=__doc__)
    parser.add_argument("--kols", type=int, default=2, help="of each tier (default: 2)")
    args = parser.parse_args()
    total: Counter[str] = Counter()
    for tier in protocol.TIERS:
        found = measure(tier, args.kols)
        total += found
        print(_line(tier.name, found), flush=True)
    print(_line("all", total))


def _line(name: str, found: Counter[str]) -> str:
    weeks = found["quiet minutes"] / _MINUTES_PER_WEEK
    return (
        f"{name}: {found['quiet reports']} reports in {weeks:.1f} quiet KOL-weeks "
        f"({found['quiet reports'] / weeks:.2f} a week); "
        f"{found['viral posts reported']} of {found['viral posts']} viral posts reported"
    )


if __name__ == "__main__":
    main()
