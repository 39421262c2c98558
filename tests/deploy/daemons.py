"""Prometheus, Alertmanager and a webhook receiver on loopback, with the committed configuration."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_SOON = "1s"
T = TypeVar("T")


def program(name: str) -> str:
    """The path of an installed program; skips the test if it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus prometheus-alertmanager")
    return found


def eventually(look: Callable[[], T | None], what: str, *, seconds: float = 40.0) -> T:
    """Poll until `look` returns something true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not in {seconds:g} s: {what}")


class Listener(Protocol):
    """Something on loopback that accepts HTTP requests."""

    @property
    def port(self) -> int: ...


@dataclass
class AlertReceiver:
    """The messages that Alertmanager's webhooks sent, as (receiver, message), in order."""

    port: int
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def alerts(self, *, status: str | None = None, **labels: str) -> list[dict[str, Any]]:
        """Alerts of all messages with these labels, each with its receiver's name."""
        return [
            alert | {"receiver": name, "group": message["groupLabels"]}
            for name, message in list(self.messages)
            for alert in message["alerts"]
            if labels.items() <= alert["labels"].items() and status in (None, alert["status"])
        ]


@contextmanager
def receiving() -> Iterator[AlertReceiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.messages.append((self.path.strip("/"), json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_request(self, *_args: Any) -> None:
            """Do not log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = AlertReceiver(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def committed_routes() -> dict[str, Any]:
    """The committed Alertmanager configuration."""
    config: dict[str, Any] = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text())
    return config


@contextmanager
def alertmanager(
    folder: Path, config: dict[str, Any], receiver: Listener, *, hurried: bool = True
) -> Iterator[httpx.Client]:
    """Alertmanager with the routes and inhibitions of `config`, and our receivers.

    Args:
        folder: for its data.
        config: the committed one, or another.
        receiver: receives all webhooks, each under its receiver's name.
        hurried: do not wait before sending, whatever `config` says.
    """
    config = {name: part for name, part in config.items() if name != "global"}
    if hurried:
        config["route"] |= {"group_wait": "0s", "group_interval": _SOON}
    config["receivers"] = [
        {
            "name": one["name"],
            "webhook_configs": [{"url": f"http://127.0.0.1:{receiver.port}/{one['name']}"}],
        }
        for one in config["receivers"]
    ]
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    arguments = [f"--config.file={path}", f"--storage.path={folder}", "--cluster.listen-address="]
    with _daemon("prometheus-alertmanager", arguments) as client:
        yield client


@contextmanager
def prometheus(
    folder: Path, targets: dict[str, str], *, hurried: bool = True
) -> Iterator[httpx.Client]:
    """Prometheus with the committed rules.

    Args:
        folder: for its data.
        targets: committed target → the address to use instead; the job `prometheus` is removed.
        hurried: use one second for every committed interval and wait.
    """
    rules = folder / "rules"
    rules.mkdir()
    for source in (DEPLOY / "prometheus/rules").glob("*.yml"):
        content = yaml.safe_load(source.read_text())
        for group in content["groups"] if hurried else ():
            group.pop("interval", None)
            for rule in group["rules"]:
                rule |= {key: _SOON for key in ("for", "keep_firing_for") if key in rule}
        (rules / source.name).write_text(yaml.safe_dump(content))
    text = (DEPLOY / "prometheus/prometheus.yml").read_text()
    for name, address in targets.items():
        text = text.replace(name, address)
    key = folder / "prometheus.key"
    key.write_text("gsk_\n")  # the services of these tests ask for none
    text = text.replace("/run/secrets/prometheus_key", str(key))
    config = yaml.safe_load(text)
    if hurried:
        config["global"] = {"scrape_interval": _SOON, "evaluation_interval": _SOON}
    config["scrape_configs"] = [
        job for job in config["scrape_configs"] if job["job_name"] != "prometheus"
    ]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    arguments = [f"--config.file={path}", f"--storage.tsdb.path={folder / 'data'}"]
    with _daemon("prometheus", arguments) as client:
        yield client


@contextmanager
def _daemon(name: str, arguments: list[str]) -> Iterator[httpx.Client]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [program(name), *arguments, f"--web.listen-address={address}", "--log.level=error"]
    process = subprocess.Popen(command)

    def ready() -> bool:
        assert process.poll() is None, f"{name} exited"
        try:
            return client.get("/-/ready").is_success
        except httpx.TransportError:
            return False

    try:
        with httpx.Client(base_url=f"http://{address}", timeout=10) as client:
            eventually(ready, f"{name} is ready")
            yield client
    finally:
        process.kill()
        process.wait()
