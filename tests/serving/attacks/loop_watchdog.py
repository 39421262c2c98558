"""Writes down every step on the event loop that takes long; for services in tests."""

import asyncio
import time
from pathlib import Path

LIMIT = 0.020  # seconds


def watch(report: Path) -> None:
    """Append a line to a file for every step of the loop's thread that takes more than `LIMIT`.

    Processor time of the thread counts, not what the machine does meanwhile. asyncio's own loop is
    needed: uvloop runs its steps in C.
    """
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        name, began = _name(handle), time.thread_time()
        run(handle)
        spent = time.thread_time() - began
        if spent > LIMIT:
            with report.open("a") as file:
                file.write(f"{spent * 1000:.1f} ms {name}\n")

    asyncio.Handle._run = timed  # type: ignore[method-assign]


def _name(handle: asyncio.Handle) -> str:
    """What a step belongs to, and where it goes on."""
    task = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
    if not isinstance(task, asyncio.Task):
        return repr(handle)[:400]
    where, step = [], task.get_coro()
    while (frame := getattr(step, "cr_frame", None)) is not None:
        where.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        step = getattr(step, "cr_await", None)
    return f"{task.get_name()} {' '.join(where[-6:])}"
