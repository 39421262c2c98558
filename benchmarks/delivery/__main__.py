"""`python -m benchmarks.delivery`: a storm through the real chain, and how long each part takes.

`--faults` opens three alerts while nobody can be reached instead.
"""

import argparse
import signal
import sys
import tempfile
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from benchmarks.delivery import chain, faults, report, stack
from benchmarks.delivery.storm import for_the_fake_model, of_the_demo
from serving.clock import SystemClock
from tests.serving.notify.outside import outside

RESULT = Path(__file__).parents[1] / "results" / "delivery.json"
_CONSOLE = Console(width=100)


def main() -> None:
    """Run, print and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--fake-model", action="store_true", help="the tests' model and storm")
    parser.add_argument(
        "--hurried", action="store_true", help="a second in place of every wait that deploy/ sets"
    )
    parser.add_argument("--speed", type=float, default=300.0, help="seconds of the storm a second")
    parser.add_argument("--faults", action="store_true", help="the outage instead of the storm")
    parser.add_argument("--outage", type=float, default=60.0, help="its seconds; 600 are real")
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    try:
        with tempfile.TemporaryDirectory(prefix="groundswell-delivery-") as folder:
            if args.faults:
                outage(Path(folder), args)
            else:
                tell(Path(folder), args)
    except (stack.NotInstalled, chain.ChainIncomplete, faults.NotDelivered) as error:
        sys.exit(f"{error}")


def tell(folder: Path, args: argparse.Namespace) -> None:
    """The storm."""
    end = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    storm = for_the_fake_model(end) if args.fake_model else of_the_demo(end)
    with (
        outside() as world,
        stack.running(
            folder, world, shipped=not args.fake_model, hurried=args.hurried
        ) as everything,
    ):
        versions = everything.versions
        moments = chain.run(everything, storm, speed=args.speed)
    told = report.rows(moments)
    how = f"{storm.name} at {args.speed:g} times its speed, "
    how += "waits of a second" if args.hurried else "the waits of deploy/"
    _CONSOLE.print(how, versions)
    report.show_story(told, _CONSOLE)
    report.save(args.out, "storm", {"versions": versions, "how": how, "moments": told})


def outage(folder: Path, args: argparse.Namespace) -> None:
    """The fault run."""
    timeout = faults.timeout_for(args.outage)
    with (
        outside(hold=3 * timeout) as world,
        stack.serving(folder, world, shipped=False, timeout=timeout) as service,
    ):
        told = faults.run(service, world, outage=args.outage)
    how = f"{args.outage:g} s of outage, {timeout:g} s for an attempt, pauses as shipped"
    _CONSOLE.print(how)
    report.show_faults(told, _CONSOLE)
    report.save(args.out, "faults", {"how": how, "channels": [asdict(one) for one in told]})


if __name__ == "__main__":
    main()
