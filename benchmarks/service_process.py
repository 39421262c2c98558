"""The service in a process of its own, with the shipped model and a webhook."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

_COMMAND = "from serving.cli.main import main; main()"
_FILES = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files})); "
_START = 120.0  # seconds in which a started service must be ready
_END = 60.0  # seconds in which a service that is asked to stop must end
_CHANNELS = """
[channels.hook]
type = "webhook"
url = "{url}"
secret_env = "HOOK_SECRET"

[[routes]]
channels = ["hook"]
min_severity = "info"
"""


class ServiceFailed(Exception):
    """The service ended by itself, or does not become ready."""


class ServiceProcess:
    """A service with one address and one database, whose process changes.

    Attributes:
        url: where it is reached.
        kills: how often it was killed.

    Args:
        folder: for its configuration and log.
        database: URL of its database.
        hook: URL of the webhook that is notified.
        files: descriptors that the process may have; None for as many as this one.
        environment: further environment variables.
    """

    def __init__(
        self,
        folder: Path,
        database: str,
        hook: str,
        *,
        files: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
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
            "HOOK_SECRET": "a secret for one run",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **(environment or {}),
        }
        self._command = ("" if files is None else _FILES.format(files=files)) + _COMMAND
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start a process; it is not ready yet."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._command, "serve", "--port", str(self._port)],
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

    def end(self) -> None:
        """Ask the process to stop, and wait until it has.

        Raises:
            ServiceFailed: it takes too long, or reports a failure.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(_END)
        except subprocess.TimeoutExpired:
            raise ServiceFailed(f"the service did not stop in {_END:g} s") from None
        if status != 0:
            raise ServiceFailed(f"the service ended with {status}")

    def stop(self) -> None:
        """End the process; a kill does, for nothing is to be finished."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(service: ServiceProcess) -> Iterator[None]:
    """Run a service for as long as the context lasts.

    Raises:
        ServiceFailed: it does not start, or does not stop as it should.
    """
    service.start()
    try:
        service.wait_until_ready()
        yield
        service.end()
    finally:
        service.stop()
