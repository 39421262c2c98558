"""One run: comments are sent until each is acknowledged, while the service is killed."""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.chaos.kills import killing
from benchmarks.chaos.outcome import ChaosOutcome, read_outcome
from benchmarks.chaos.receiver import receiving
from benchmarks.chaos.stream import Item
from benchmarks.service_process import ServiceFailed, ServiceProcess
from tests.serving.streams import wait_until_processed

_BATCH = (5, 60)  # comments of one request
_PAUSE = 0.05  # seconds before a request is sent again
_PATIENCE = 300.0  # seconds for one request to be acknowledged, and for the end to come


@dataclass(frozen=True, slots=True)
class ChaosRun:
    """One run to make.

    Attributes:
        database: name of the kind of database.
        url: an empty database.
        kills: how often the service is killed.
        seed: of the kills and the sizes of requests.
    """

    database: str
    url: str
    kills: int
    seed: int


def play(run: ChaosRun, comments: Sequence[Item], folder: Path) -> ChaosOutcome:
    """Send all comments, in order, and see what is left when all is done.

    Args:
        run: the run.
        comments: in order of time.
        folder: an empty one.

    Raises:
        ServiceFailed: the service did not come back, or did not finish.
    """
    rng = random.Random(f"{run.seed}/{run.database}")
    folder.mkdir()
    begun = time.monotonic()
    with receiving() as receiver:
        service = ServiceProcess(folder, run.url, receiver.url)
        service.start()
        try:
            service.wait_until_ready()
            with killing(service, run.kills, rng) as killer:
                sender = _CommentSender(service, run.kills, killer, random.Random(run.seed))
                sender.send(comments)
            with httpx.Client(base_url=service.url, timeout=60) as client:
                wait_until_processed(client, seconds=_PATIENCE)
                wait_until_delivered(client)
                return read_outcome(
                    run.url,
                    client,
                    acknowledged=sender.acknowledged,
                    messages=receiver.messages,
                    kills=service.kills,
                    requests_repeated=sender.repeated,
                    seconds=time.monotonic() - begun,
                )
        finally:
            service.stop()


class _CommentSender:
    """Sends each request until it is acknowledged; the kills are spread over all requests."""

    def __init__(
        self, service: ServiceProcess, kills: int, killer: threading.Thread, rng: random.Random
    ) -> None:
        self._service = service
        self._kills = kills
        self._killer = killer
        self._rng = rng
        self.acknowledged: set[tuple[str, str, str]] = set()
        self.repeated = 0

    def send(self, comments: Sequence[Item]) -> None:
        place = 0
        with httpx.Client(base_url=self._service.url, timeout=60) as client:
            while place < len(comments):
                batch = list(comments[place : place + self._rng.randint(*_BATCH)])
                self._wait_for_kills(place / len(comments))
                self._send(client, batch)
                place += len(batch)

    def _wait_for_kills(self, sent: float) -> None:
        """Do not run ahead of the kills."""
        while self._killer.is_alive() and self._service.kills + 1 < sent * (self._kills + 1):
            time.sleep(_PAUSE)

    def _send(self, client: httpx.Client, batch: list[Item]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = client.post("/v1/comments", json=batch)
            except httpx.TransportError:
                self.repeated += 1
            else:
                if answer.is_success:
                    assert answer.json()["rejected"] == 0, answer.text
                    self.acknowledged |= {identity(item) for item in batch}
                    return
                assert answer.status_code in (429, 503), answer.text
                self.repeated += 1
            time.sleep(_PAUSE)
        raise ServiceFailed("a request was not acknowledged")


def identity(item: Item) -> tuple[str, str, str]:
    """What makes a comment unique."""
    return item["platform"], item["comment_id"], item["kol_id"]


def wait_until_delivered(client: httpx.Client) -> None:
    """Wait until no notification waits.

    Raises:
        ServiceFailed: it takes too long.
    """
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        waiting = client.get("/v1/deliveries", params={"state": "waiting"}).raise_for_status()
        if not waiting.json()["items"]:
            return
        time.sleep(_PAUSE)
    raise ServiceFailed("notifications still wait")
