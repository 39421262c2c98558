"""What others do to the service; each says when it has begun, and runs until it is cancelled."""

import asyncio
import contextlib
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import httpx

from benchmarks.imports import write_file
from benchmarks.load.event_reader import EventReader
from benchmarks.load.steady_comments import comment

_BROWSERS = 4  # that ask at once
_PAUSE = 0.05  # seconds after a refused request
_TEXT = "the parcel came after three weeks and half of it was broken, I want a refund. "
_AGAIN = 5.0  # seconds after which a slow socket that was closed is opened again
_DESCRIPTORS = 4096
_HEAD = "POST /v1/comments HTTP/1.1\r\nHost: {netloc}\r\nContent-Type: application/json\r\n"


@dataclass(slots=True)
class LoadTarget:
    """The service that is under load, and what was done to it.

    Attributes:
        url: of the service.
        database: URL of its database.
        scale: 1 for the whole load; less for a trial.
        rate: comments a second that a load of comments sends.
        done: what was done, by what it is; answers other than 2xx under their status.
        begun: set once the load is there.
    """

    url: str
    database: str
    scale: float
    rate: float
    done: Counter[str] = field(default_factory=Counter)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def many(self, number: int) -> int:
        """A number of this scale."""
        return max(1, round(self.scale * number))

    async def count(self, what: str, answer: httpx.Response) -> None:
        """Count an answer; wait a little after one that refuses."""
        self.done[what if answer.is_success else f"{what}: {answer.status_code}"] += 1
        if not answer.is_success:
            await asyncio.sleep(_PAUSE)


Load = Callable[[LoadTarget, httpx.AsyncClient], Awaitable[None]]


async def nothing(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """At rest."""
    target.begun.set()
    await asyncio.Event().wait()


async def long_texts(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """100 texts of 65,000 characters to `/v1/score`, two requests at once."""
    text = (_TEXT * (65_000 // len(_TEXT) + 1))[:65_000]
    body = {"texts": [f"{number} {text}"[:65_000] for number in range(target.many(100))]}

    async def ask() -> None:
        target.begun.set()
        while True:
            await target.count("requests", await http.post("/v1/score", json=body))

    await asyncio.gather(ask(), ask())


async def readers(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """500 readers of the stream while 8,000 comments come on 20 KOLs."""
    reading = [EventReader(target.url) for _ in range(target.many(500))]
    try:
        async with asyncio.TaskGroup() as group:
            for reader in reading:
                group.create_task(reader.run())
            await asyncio.gather(*(reader.connected.wait() for reader in reading))
            target.begun.set()
            await _send(target, http, lambda number: f"followed-{number % 20}", target.many(8000))
            await asyncio.Event().wait()
    finally:
        target.done["readers"] = sum(reader.connected.is_set() for reader in reading)
        target.done["events"] = sum(reader.moods + len(reader.alert_ids) for reader in reading)


async def storm(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """A storm on one KOL, at half of what the service can do."""
    target.begun.set()
    await _send(target, http, lambda number: "stormy", None)


async def imports(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """A file of 100,000 comments is imported."""
    with tempfile.TemporaryDirectory(prefix="groundswell-load-") as folder:
        path = Path(folder) / "comments.csv"
        await asyncio.to_thread(write_file, path, target.many(100_000), "csv")
        content = await asyncio.to_thread(path.read_bytes)
    headers = {"Content-Type": "application/octet-stream"}
    answer = await http.post(
        "/v1/imports", params={"name": "comments.csv"}, content=content, headers=headers
    )
    await target.count("files", answer)
    target.begun.set()
    await asyncio.Event().wait()


async def exports(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """What is stored is exported: comments, an author's, the audit log, a backup; all at once."""
    target.begun.set()
    with tempfile.TemporaryDirectory(prefix="groundswell-load-") as folder:
        async with asyncio.TaskGroup() as group:
            group.create_task(_all_comments(target, http))
            group.create_task(_again(target, http, "authors", "/v1/authors/author-1/export"))
            group.create_task(_again(target, http, "audit logs", "/v1/audit.csv"))
            group.create_task(_backups(target, Path(folder)))


async def scrapes(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """Metrics are scraped every second while 10,010 alerts are open."""
    target.begun.set()
    while True:
        begun = perf_counter()
        await target.count("scrapes", await http.get("/metrics"))
        await asyncio.sleep(max(0.0, begun + 1 - perf_counter()))


async def slow_sockets(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """1,100 connections send nothing, or headers without an end; the service has 1,024 files."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_DESCRIPTORS, hard), hard))
    address = urlsplit(target.url)
    head = _HEAD.format(netloc=address.netloc).encode()
    number_of_sockets = target.many(1100)

    async def hold(number: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                incoming, outgoing = await asyncio.open_connection(address.hostname, address.port)
                target.done["connections"] += 1
                if target.done["connections"] >= number_of_sockets:
                    target.begun.set()
                if number % 2:
                    outgoing.write(head)
                await incoming.read()  # until the service closes it
                outgoing.close()
            await asyncio.sleep(_AGAIN)

    await asyncio.gather(*map(hold, range(number_of_sockets)))


async def pages(target: LoadTarget, http: httpx.AsyncClient) -> None:
    """Four browsers load pages of alerts, their charts and the lists behind them."""
    listed = (await http.get("/v1/alerts", params={"limit": 20})).json()["items"]
    paths = [f"/alerts/{alert['alert_id']}" for alert in listed]
    paths += [f"/v1{path}/chart.png" for path in paths[:3]]
    paths += ["/sign-in", "/v1/alerts", "/v1/kols", "/v1/digest?every=week", "/v1/status"]

    target.begun.set()

    async def browse(first: int) -> None:
        for number in count(first):
            await target.count("pages", await http.get(paths[number % len(paths)]))

    await asyncio.gather(*map(browse, range(_BROWSERS)))


LOADS: dict[str, Load] = {
    "rest": nothing,
    "long_texts": long_texts,
    "readers": readers,
    "storm": storm,
    "imports": imports,
    "exports": exports,
    "slow_sockets": slow_sockets,
    "pages": pages,
    "open_alerts": scrapes,
    "kols": nothing,
}


async def _send(
    target: LoadTarget, http: httpx.AsyncClient, kol: Callable[[int], str], most: int | None
) -> None:
    """Send comments at the target's rate, in five requests a second."""
    begun, sent = perf_counter(), 0
    while most is None or sent < most:
        due = int((perf_counter() - begun) * target.rate) + 1 - sent
        items = [
            comment(kol(number), number, f"terrible, I want a refund, {number}")
            for number in range(sent, sent + due)
        ]
        answer = await http.post("/v1/comments", json=items)
        if answer.is_success:
            sent += due
            target.done["comments"] += due
        else:
            await target.count("comments", answer)
        await asyncio.sleep(0.2)


async def _again(target: LoadTarget, http: httpx.AsyncClient, what: str, path: str) -> None:
    while True:
        await target.count(what, await http.get(path))


async def _all_comments(target: LoadTarget, http: httpx.AsyncClient) -> None:
    kols = [kol["kol_id"] for kol in (await http.get("/v1/kols")).json()["items"]]
    for number in count():
        path, cursor = f"/v1/kols/{kols[number % len(kols)]}/comments", dict[str, str]()
        while True:
            answer = await http.get(path, params={"limit": "200", **cursor})
            await target.count("pages of comments", answer)
            if not answer.is_success or (following := answer.json()["next_cursor"]) is None:
                break
            cursor = {"cursor": following}


async def _backups(target: LoadTarget, folder: Path) -> None:
    command = "from serving.cli.main import main; main()"
    for number in count():
        file = folder / f"{number}.db"
        backup = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", command, "db", "backup", str(file)),
            *("--database-url", target.database),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            status = await backup.wait()
        except asyncio.CancelledError:
            backup.kill()
            await backup.wait()
            raise
        target.done["backups" if status == 0 else "failed backups"] += 1
        file.unlink(missing_ok=True)
