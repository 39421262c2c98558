"""Kills of the service with SIGKILL, at random moments."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.service_process import ServiceFailed, ServiceProcess

_LIFE = (0.02, 1.5)  # seconds for which a service that is ready lives
_WHILE_STARTING = 0.15  # share of the kills that come before the service is ready …
_STARTING = (0.1, 2.5)  # … after so many seconds


@contextmanager
def killing(service: ServiceProcess, kills: int, rng: random.Random) -> Iterator[threading.Thread]:
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
