"""Services in processes of their own, to be attacked."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Attacked:
    """A service in a process of its own.

    Attributes:
        process: it.
        port: where it listens on 127.0.0.1.
        report: where its watchdog writes.
    """

    process: subprocess.Popen[bytes]
    port: int
    report: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)

    def blocked(self) -> list[str]:
        """What the watchdog has written since the last call."""
        found = self.report.read_text().splitlines()
        self.report.write_text("")
        return found

    def peak(self) -> int:
        """The most memory that the process has held, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1024


@contextmanager
def attacked(folder: Path, *, files: int | None = None, **settings: str) -> Iterator[Attacked]:
    """Run a service; killed at the end.

    Args:
        folder: for its database.
        files: descriptors that it may have.
        settings: changed settings, by their names.
    """
    report = folder / "watchdog.txt"
    report.write_text("")
    environment: Mapping[str, str] = os.environ | {
        f"GROUNDSWELL_{name.upper()}": value for name, value in settings.items()
    }

    def limit() -> None:
        if files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.serving.attacks.attacked_service"),
            *(f"sqlite:///{folder / 'attacked.db'}", str(report)),
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        preexec_fn=limit,
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        found = Attacked(process, port, report)
        with found.client() as client:
            assert client.get("/readyz").status_code == 200
        found.blocked()  # the start may take its time
        yield found
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(tmp_path_factory.mktemp("attacked")) as found:
        yield found
