"""Runs the service in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
_GROUNDSWELL = "from serving.cli.main import main; main()"


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@contextmanager
def service(
    database: Path | str,
    *,
    shipped: bool = False,
    env: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Run a service on a database; killed at the end.

    Args:
        database: path of a SQLite file, or a URL.
        shipped: run `groundswell serve` with the shipped model instead of the fake one.
        env: environment variables in addition to those of this process; without them the service
            needs no key.
        port: where it listens; a free port if None.
    """
    port = port or free_port()
    folder, url = ROOT, str(database)
    if isinstance(database, Path):
        folder, url = database.parent, f"sqlite:///{database}"
    if shipped:
        serve = ["serve", "--port", str(port), "--database-url", url]
        command = [sys.executable, "-c", _GROUNDSWELL, *serve]
    else:
        command = [sys.executable, "-m", "tests.serving.server_on_fake", str(port), url]
        folder = ROOT
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | {"GROUNDSWELL_ACCESS": "open"} | (env or {})
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            deadline = time.monotonic() + 60
            while True:
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    assert process.poll() is None, "the service exited"
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process, client
    finally:
        process.kill()
        process.wait()
