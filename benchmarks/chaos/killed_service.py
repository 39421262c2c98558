"""The service in a process of its own, killed with SIGKILL and started again."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_COMMAND = "from serving.cli.main import main; main()"
_START = 120.0  # seconds in which a started service must be ready
_LIFE = (0.02, 1.5)  # seconds for which a service that is ready lives
_WHILE_STARTING = 0.15  # share of the kills that come before the service is ready …
_STARTING = (0.1, 2.5)  # … after so many seconds
_CHANNELS = """
[channels.hook]
type = "webhook"
url = "{url}"
secret_env = "CHAOS_SECRET"

[[routes]]
channels = ["hook"]
min_severity = "info"
"""


class ServiceFailed(Exception):
    """The service ended by itself, or does not become ready."""


class KilledService:
    """A service with one address and one database, whose process changes.

    Attributes:
        url: where it is reached.
        kills: how often it was killed.

    Args:
        folder: for its configuration and log.
        database: URL of its database.
        hook: URL of the webhook that is notified.
    """

    def __init__(self, folder: Path, database: str, hook: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.kills = 0
        channels = folder / "channels.toml"
        channels.write_text(_CHANNELS.format(url=hook))
        self._log = folder / "service.log"
        self._folder = folder
        self._environment = os.environ | {
            "GROUNDSWELL_ACCESS": "open",
            "GROUNDSWELL_CHANNELS": str(channels),
            "GROUNDSWELL_DATABASE_URL": database,
            "GROUNDSWELL_LOG_FORMAT": "json",
            "GROUNDSWELL_NOTIFY_MAX_AGE": str(10 * 365 * 86_400),
            "CHAOS_SECRET": "a secret for one run",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start a process; it is not ready yet."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, "serve", "--port", str(self._port)],
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        """Wait until the service answers.

        Raises:
            ServiceFailed: it ended, or takes too long.
        """
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise ServiceFailed(self._log.read_text(encoding="utf-8", errors="replace")[-4000:])

    def kill(self) -> None:
        """End the process with SIGKILL, in whatever it does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def stop(self) -> None:
        """End the process; a kill does, for nothing is to be finished."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def killing(service: KilledService, kills: int, rng: random.Random) -> Iterator[threading.Thread]:
    """Kill the service again and again in a thread; at the end it runs and is ready.

    Raises:
        ServiceFailed: it did not come back after a kill.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(kills):
                if rng.random() < _WHILE_STARTING:
                    time.sleep(rng.uniform(*_STARTING))
                else:
                    service.wait_until_ready()
                    time.sleep(rng.uniform(*_LIFE))
                service.kill()
                service.start()
            service.wait_until_ready()
        except ServiceFailed as failure:
            failures.append(failure)

    thread = threading.Thread(target=run, name="killer")
    thread.start()
    try:
        yield thread
    finally:
        thread.join()
    if failures:
        raise failures[0]
