"""The progress bar of a replay: how much was sent, then how much was worked off."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from serving.cli.files.readers import CommentFile
from serving.cli.files.replayer import Tally


def new_progress(console: Console) -> Progress:
    """A progress display with a note after each bar; gone when done, absent without a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@dataclass(slots=True)
class ReplayProgress:
    """Two bars, one after the other."""

    progress: Progress
    file: CommentFile
    tally: Tally
    sending: TaskID
    working: TaskID | None = None

    def sent(self) -> None:
        """A batch was answered."""
        tally = self.tally
        note = f"{tally.sent:,} sent"
        if tally.at is not None:
            note += f", up to {tally.at:%d %b %H:%M}"
        done = tally.done if tally.done is not None else self.file.fraction()
        self.progress.update(self.sending, completed=done, note=note)

    def worked_off(self, last: int, done: int) -> None:
        """The service said how far it is."""
        if self.working is None:
            self.progress.update(self.sending, completed=1.0)
            start = max(last - self.tally.sent, 0)
            self.working = self.progress.add_task("scoring", total=last - start, note="")
        total = self.progress.tasks[self.working].total or 0
        left = last - done
        self.progress.update(self.working, completed=total - left, note=f"{left:,} to go")


@contextmanager
def replay_progress(file: CommentFile, tally: Tally, console: Console) -> Iterator[ReplayProgress]:
    """Show how a replay goes, for as long as the context lasts."""
    with new_progress(console) as progress:
        yield ReplayProgress(
            progress, file, tally, progress.add_task("sending", total=1.0, note="")
        )
