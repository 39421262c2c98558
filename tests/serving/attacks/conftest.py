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

# A step that an attack makes long is long each time; one that the machine makes long is not.
loop_is_watched = pytest.mark.flaky(reruns=2, only_rerun="LoopBlocked")


class LoopBlocked(AssertionError):
    """Something has kept the event loop for more than 20 ms."""


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

    def reset_blocks(self) -> None:
        """Begin anew to watch the event loop."""
        self.report.write_text("")

    def check_loop(self, *, but: str | None = None) -> None:
        """Check that nothing has kept the event loop since `reset_blocks`.

        Args:
            but: the name of a task that is not asked.

        Raises:
            LoopBlocked: something has; with each step that took long.
        """
        found = [
            step
            for step in self.report.read_text().splitlines()
            if but is None or not step.split(" ms ")[1].startswith(but)
        ]
        if found:
            raise LoopBlocked("\n".join(found))

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
        found.reset_blocks()  # the start may take its time
        yield found
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(tmp_path_factory.mktemp("attacked")) as found:
        yield found
