"""The progress bars of a replay: how much was sent, then how much was processed."""

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
from serving.cli.files.replay_count import ReplayCount


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
    count: ReplayCount
    sending: TaskID
    scoring: TaskID | None = None

    def sent(self) -> None:
        """A batch was answered."""
        count = self.count
        note = f"{count.sent:,} sent"
        if count.at is not None:
            note += f", up to {count.at:%d %b %H:%M}"
        done = count.done if count.done is not None else self.file.fraction()
        self.progress.update(self.sending, completed=done, note=note)

    def processed(self, last: int, done: int) -> None:
        """The service has processed its log up to `done` of `last`."""
        if self.scoring is None:
            self.progress.update(self.sending, completed=1.0)
            start = max(last - self.count.sent, 0)
            self.scoring = self.progress.add_task("scoring", total=last - start, note="")
        total = self.progress.tasks[self.scoring].total or 0
        left = last - done
        self.progress.update(self.scoring, completed=total - left, note=f"{left:,} left")


@contextmanager
def replay_progress(
    file: CommentFile, count: ReplayCount, console: Console
) -> Iterator[ReplayProgress]:
    """Show the progress of a replay for as long as the context lasts."""
    with new_progress(console) as progress:
        yield ReplayProgress(
            progress, file, count, progress.add_task("sending", total=1.0, note="")
        )
