"""Runs the engine on a stream, with the same calls that the service makes."""

from dataclasses import dataclass
from datetime import timedelta
from time import process_time

import numpy as np

from benchmarks.crisis.stream import EPOCH, Stream
from monitoring.engine import Engine
from monitoring.policy import Policy
from monitoring.windows import WindowStats

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Run:
    """The engine's result for one stream.

    Attributes:
        pages: ends of the minutes with a page.
        resolutions: (page, resolution) pairs in minutes.
        aftershocks: minutes of smaller second waves, which are reported but do not page.
        escalations: number of escalations.
        windows: number of windows (empty minutes are skipped).
        seconds: processor time of the engine, which does not depend on other load.
        state_bytes: size of the KOL's final snapshot.
    """

    pages: tuple[int, ...]
    resolutions: tuple[tuple[int, int], ...]
    aftershocks: tuple[int, ...]
    escalations: int
    windows: int
    seconds: float
    state_bytes: int


def windows_of(stream: Stream) -> list[WindowStats]:
    """The non-empty minutes of a stream."""
    busy = np.flatnonzero(stream.comments)
    return [
        WindowStats(stream.kol, EPOCH + minute * _MINUTE, n, float(k), float(positive))
        for minute, n, k, positive in zip(
            busy.tolist(),
            stream.comments[busy].tolist(),
            stream.negative[busy].tolist(),
            stream.positive[busy].tolist(),
            strict=True,
        )
    ]


def run(stream: Stream, policy: Policy) -> Run:
    """Send all non-empty minutes of `stream` to a new engine."""
    windows = windows_of(stream)
    engine = Engine(policy)
    begun = process_time()
    events = [event for window in windows for event in engine.observe_window(window)]
    seconds = process_time() - begun
    pages: list[int] = []
    resolutions: list[tuple[int, int]] = []
    aftershocks: list[int] = []
    escalations = 0
    for event in events:
        minute = (event.at - EPOCH) // _MINUTE
        if event.pages:
            pages.append(minute)
        elif event.reason == "resolved" and event.severity != "info":
            resolutions.append((pages[-1], minute))
        elif event.reason == "aftershock" and event.severity != "info":
            aftershocks.append(minute)
        elif event.reason == "escalated":
            escalations += 1
    return Run(
        tuple(pages),
        tuple(resolutions),
        tuple(aftershocks),
        escalations,
        len(windows),
        seconds,
        len(engine.snapshot(stream.kol)),
    )
