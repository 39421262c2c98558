"""Runs jobs in parallel processes with a progress bar."""

from collections.abc import Callable, Sequence
from multiprocessing import Pool
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

J = TypeVar("J")
R = TypeVar("R")


def run_all(measure: Callable[[J], R], jobs: Sequence[J], processes: int, title: str) -> list[R]:
    """Call `measure` on each job; results in the order of the jobs."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar, Pool(processes) as pool:
        task = bar.add_task(title, total=len(jobs))
        results = []
        for result in pool.imap(measure, jobs):
            results.append(result)
            bar.advance(task)
        return results
