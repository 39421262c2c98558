"""The progress bars of an import: reading, sending, scoring."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress, TaskID

from serving.cli.output.progress import new_progress


@dataclass(slots=True)
class ImportBars:
    """Three bars, one after the other."""

    progress: Progress
    read: TaskID | None = None
    sent: TaskID | None = None
    processed: TaskID | None = None
    begun: int = 0
    file: str = ""

    def reading(self, file: str, fraction: float) -> None:
        """So much of a file has been read, in [0, 1]."""
        if self.read is None or file != self.file:
            self.file = file
            self.read = self.progress.add_task("reading", total=1.0, note=file)
        self.progress.update(self.read, completed=fraction)

    def sending(self, done: int, total: int) -> None:
        """So many comments of all have been sent."""
        if self.sent is None:
            self.sent = self.progress.add_task("sending", total=total, note="")
        self.progress.update(self.sent, completed=done, note=f"{done:,} of {total:,}")

    def processing(self, last: int, done: int) -> None:
        """The service has processed its log up to `done` of `last`."""
        if self.processed is None:
            self.begun = done
            self.processed = self.progress.add_task("scoring", total=last - done, note="")
        self.progress.update(
            self.processed, completed=done - self.begun, note=f"{last - done:,} left"
        )


@contextmanager
def import_progress(console: Console) -> Iterator[ImportBars]:
    """Show the progress of an import for as long as the context lasts."""
    with new_progress(console) as progress:
        yield ImportBars(progress)
