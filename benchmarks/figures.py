"""`python -m benchmarks.figures`: write the figures of result files into the documents.

A document has `<!-- figures: NAME -->` before the place and `<!-- /figures -->` after it.
"""

import argparse
import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "docs" / "security.md", ROOT / "docs" / "reliability.md")
RESULTS = ROOT / "benchmarks" / "results"
_PLACE = re.compile(r"(<!-- figures: (\w+) -->\n)(.*?)(<!-- /figures -->)", re.DOTALL)
_WIDTH = 115

_LOADS = {
    "rest": "at rest",
    "long_texts": "100 texts of 65,000 characters to `/v1/score`, two requests at once, in a loop",
    "readers": "500 readers of `/v1/stream` while 8,000 comments come",
    "storm": "a storm on one KOL, at half of the capacity",
    "imports": "a file of 100,000 comments is imported",
    "exports": "exports of comments, of an author and of the audit log, and backups, in a loop",
    "slow_sockets": "1,100 slow sockets, the service has 1,024 descriptors",
    "pages": "four browsers load pages, charts and lists in a loop",
    "open_alerts": "10,010 open alerts, `/metrics` is scraped every second",
    "kols": "50,000 KOLs, each with a comment",
}


def load(found: Mapping[str, Any]) -> str:
    """The delay of detection under each load, as Markdown.

    Args:
        found: the result of `python -m benchmarks.load`.
    """
    databases = found["databases"]
    names = list(databases)
    capacities = " and ".join(
        f"{one['capacity']:,} comments a second on {name}" for name, one in databases.items()
    )
    per_second = round(4 / found["every"])
    intro = (
        f"Last run, {_day(found['day'])}, on {found['machine']['cpus']} cores, which also ran the "
        f"loads: {found['seconds']:g} seconds of each load, {per_second} timed comments a second. "
        f"With nothing else to do the service scored and judged {capacities}. Seconds, median and "
        f"p99 ([`load.json`](../benchmarks/results/load.json)):"
    )
    head = ["load", *(f"{name} {share}" for name in names for share in ("median", "p99"))]
    rows = []
    first = databases[names[0]]["loads"]
    for place, row in enumerate(first):
        cells = [_LOADS[row["load"]]]
        for name in names:
            other = databases[name]["loads"][place]
            cells += [f"{other['p50']:.2f}", f"{other['p99']:.2f}"]
        rows.append(cells)
    return f"{_wrapped(intro)}\n\n{_table(head, rows)}\n"


def soak(found: Mapping[str, Any]) -> str:
    """What a soak showed, as Markdown.

    Args:
        found: the result of `python -m benchmarks.soak`.
    """
    cores = "one core" if found["cores"] == 1 else f"{found['cores']} cores"
    intro = (
        f"Last run, {_day(found['day'])}: {found['minutes']:g} minutes on {cores}, which also ran "
        f"the load; {found['kols']} KOLs, SQLite. The service could do {found['capacity']:g} "
        f"comments a second, so {found['rate']:g} were sent "
        f"([`soak.json`](../benchmarks/results/soak.json)):"
    )
    memory = found["memory"]
    rows = [
        ["comments", f"{found['comments']:,}"],
        ["alerts, notifications", f"{found['alerts']:,}, {found['notifications']:,}"],
        ["actions of people", f"{found['actions']:,}"],
        [f"alert events that {found['readers']} readers got", f"{found['events_read']:,}"],
        ["delay of detection, median and p99",
         f"{found['delay']['p50']:.2f} s, {found['delay']['p99']:.2f} s"],
        *(
            [f"{title}, trend after {found['warm_up_minutes']:g} minutes",
             f"{memory[name]['first']:.0f} to {memory[name]['last']:.0f} MiB "
             f"({100 * memory[name]['change']:+.1f}%)"]
            for name, title in (("resident", "resident memory"), ("own", "of it no file"))
        ),
        *([name.replace("_", " "), f"{count:,}"] for name, count in found["faults"].items()),
    ]  # fmt: skip
    plot = "![Memory, delay, comments and files during the soak](images/soak.png)"
    return f"{_wrapped(intro)}\n\n{_table(['', 'soak'], rows)}\n\n{plot}\n"


WRITERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"load": load, "soak": soak}


def renewed(text: str) -> str:
    """A document with the figures of the result files; a place whose file is missing stays."""

    def written(place: re.Match[str]) -> str:
        before, name, _, after = place.groups()
        result = RESULTS / f"{name}.json"
        if not result.exists():
            return place[0]
        found = json.loads(result.read_text())
        return f"{before}{WRITERS[name](found)}{after}"

    return _PLACE.sub(written, text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _day(day: str) -> str:
    found = date.fromisoformat(day)
    return f"{found.day} {found:%B %Y}"


def main() -> None:
    """Renew all documents."""
    argparse.ArgumentParser(prog="python -m benchmarks.figures", description=__doc__).parse_args()
    for path in DOCUMENTS:
        path.write_text(renewed(path.read_text()))


if __name__ == "__main__":
    main()
