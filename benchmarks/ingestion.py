"""`python -m benchmarks.ingestion`: how many comments per second the service accepts.

Runs the whole service in this process, without a socket and with a model that takes no time, so it
measures validation, the log, the detector and storage. It compares SQLite (a file) with PostgreSQL
(a temporary server on this machine), both with their default durability: an acknowledged comment is
on disk. Needs Debian's package `postgresql`.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from groundswell_client import AsyncClient
from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.clock import SystemClock
from serving.settings import Settings
from tests.serving import postgres

RESULT = Path(__file__).parent / "results" / "ingestion.json"
KOLS = 20
_SENDERS = {1: 64, 500: 4}  # comments per request → number of concurrent senders
_TEXTS = ("love this", "what time is it on", "terrible, I hate it", "from Jakarta", "first")


@asynccontextmanager
async def service(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run the service on a database."""
    settings = Settings(database_url=url, access="open", log_level="error", _env_file=None)
    app = create_app(settings, classifier=SentimentClassifier.from_backend(FakeBackend()))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://here", timeout=600
        ) as http:
            yield http


def comments(count: int) -> list[dict[str, Any]]:
    """Comments on 20 KOLs over the last day, in order of time."""
    start = SystemClock().now() - timedelta(days=1)
    return [
        {
            "platform": "instagram",
            "comment_id": str(number),
            "kol_id": f"kol-{number % KOLS}",
            "post_id": f"post-{number % KOLS}-{number // 5000}",
            "author_id": f"author-{number * 7919 % 4001}",
            "text": f"{_TEXTS[number % len(_TEXTS)]} {number}",
            "created_at": (start + timedelta(days=1) * (number / count)).isoformat(),
        }
        for number in range(count)
    ]


async def send(http: httpx.AsyncClient, items: Sequence[Any], size: int) -> tuple[float, float]:
    """Seconds until all comments were acknowledged, and until all were processed."""
    requests = iter([items[first : first + size] for first in range(0, len(items), size)])

    async def sender() -> None:
        for request in requests:
            answer = await http.post("/v1/comments", json=request)
            if answer.status_code != 202:
                sys.exit(f"the service answered {answer.status_code}: {answer.text}")

    begun = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(_SENDERS[size])))
    acknowledged = time.perf_counter() - begun
    transport = http._transport  # noqa: SLF001
    await AsyncClient(str(http.base_url), transport=transport).wait_until_processed()
    return acknowledged, time.perf_counter() - begun


async def run(url: str, count: int, size: int) -> tuple[float, float]:
    """Comments per second on an empty database: acknowledged, and processed."""
    async with service(url) as http:
        acknowledged, processed = await send(http, comments(count), size)
    return count / acknowledged, count / processed


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingestion", description=__doc__)
    parser.add_argument("--comments", type=int, default=3000, help="comments per run")
    parser.add_argument("--runs", type=int, default=2, help="runs of each kind, in turns")
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    args = parser.parse_args()
    if postgres.PROGRAMS is None:
        sys.exit("PostgreSQL is not installed; run: apt-get install postgresql")
    rates: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="groundswell-ingestion-") as folder,
        postgres.serving(durable=True) as server,
    ):
        for turn in range(args.runs):
            for size in _SENDERS:
                places = {
                    "SQLite": f"sqlite:///{folder}/{turn}-{size}.db",
                    "PostgreSQL": server.url(server.create()),
                }
                for database, url in places.items():
                    rate = asyncio.run(run(url, args.comments, size))
                    rates.setdefault((database, size), []).append(rate)
    rows = [
        {
            "database": database,
            "comments_a_request": size,
            "senders": _SENDERS[size],
            "acknowledged_a_second": [round(one) for one, _ in measured],
            "processed_a_second": [round(one) for _, one in measured],
        }
        for (database, size), measured in sorted(rates.items())
    ]
    table = Table("database", "per request", "senders", "acknowledged/s", "processed/s")
    for row in rows:
        table.add_row(
            *(str(row[name]) for name in ("database", "comments_a_request", "senders")),
            *(_rate(row[f"{name}_a_second"]) for name in ("acknowledged", "processed")),
        )
    Console(width=100).print(table)
    result = {"machine": machine(), "comments": args.comments, "rows": rows}
    args.out.write_text(json.dumps(result, indent=2) + "\n")


def _rate(rates: list[int]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,} to {max(rates):,})"


if __name__ == "__main__":
    main()
