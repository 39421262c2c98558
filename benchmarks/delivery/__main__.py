"""`python -m benchmarks.delivery`: times a storm through the real notification chain.

With `--faults` three alerts open while no receiver can be reached.
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
    parser.add_argument("--fake-model", action="store_true", help="use the tests' model and storm")
    parser.add_argument(
        "--hurried", action="store_true", help="use one second for each wait in deploy/"
    )
    parser.add_argument("--speed", type=float, default=300.0, help="speed of the storm")
    parser.add_argument("--faults", action="store_true", help="run the outage instead of the storm")
    parser.add_argument(
        "--outage", type=float, default=60.0, help="its seconds; 600 for a realistic one"
    )
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that started programs are stopped
    try:
        with tempfile.TemporaryDirectory(prefix="groundswell-delivery-") as folder:
            if args.faults:
                outage(Path(folder), args)
            else:
                storm(Path(folder), args)
    except (stack.NotInstalled, chain.ChainIncomplete, faults.NotDelivered) as error:
        sys.exit(f"{error}")


def storm(folder: Path, args: argparse.Namespace) -> None:
    """Run the storm."""
    end = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    comments = for_the_fake_model(end) if args.fake_model else of_the_demo(end)
    with (
        outside() as world,
        stack.running(
            folder, world, shipped=not args.fake_model, hurried=args.hurried
        ) as everything,
    ):
        versions = everything.versions
        events = chain.run(everything, comments, speed=args.speed)
    rows = report.rows(events)
    how = f"{comments.name} at {args.speed:g} times its speed, "
    how += "one second for each wait" if args.hurried else "the waits of deploy/"
    _CONSOLE.print(how, versions)
    report.show_events(rows, _CONSOLE)
    report.save(args.out, "storm", {"versions": versions, "how": how, "events": rows})


def outage(folder: Path, args: argparse.Namespace) -> None:
    """Run the outage."""
    timeout = faults.timeout_for(args.outage)
    with (
        outside(hold=3 * timeout) as world,
        stack.serving(folder, world, shipped=False, timeout=timeout) as service,
    ):
        results = faults.run(service, world, outage=args.outage)
    how = f"outage of {args.outage:g} s, timeout {timeout:g} s, default retries"
    _CONSOLE.print(how)
    report.show_faults(results, _CONSOLE)
    report.save(args.out, "faults", {"how": how, "channels": [asdict(one) for one in results]})


if __name__ == "__main__":
    main()
