"""What the demo shows: alerts as they are raised, a bar, a table, and where to look next."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime

from rich import box
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from groundswell_client.models.alerts import AlertEventInfo, AlertInfo
from groundswell_client.models.kols import MoodInfo
from serving.cli.demo.cast import KOLS, SCENARIO
from serving.cli.output.alert_card import alert_card
from serving.cli.output.formatting import instant, severity, spaced
from serving.cli.output.progress import new_progress

_NAMES = {kol.kol_id: kol.name for kol in KOLS}


class DemoScreen:
    """The demo's terminal.

    Args:
        console: where to print.
        live: whether a moving bar can be drawn; not in a recording or a file.
    """

    def __init__(self, console: Console, *, live: bool) -> None:
        self._console = console
        self._live = live
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def say(self, line: str) -> None:
        """A line of its own."""
        self._console.print(Text(line))

    def opening(self, comments: int, start: datetime, end: datetime) -> None:
        """What is about to happen."""
        self.say(
            f"The service is running. The demo sends it {comments:,} comments that were written "
            f"under the posts of three fictional KOLs from {start:%d %b %H:%M} to "
            f"{end:%d %b %H:%M} UTC, and shows each alert when it is raised."
        )

    def progress(self, total: int) -> Progress | nullcontext[None]:
        """A bar for `total` comments, for as long as the context lasts."""
        if not self._live:
            return nullcontext()
        self._progress = new_progress(self._console)
        self._task = self._progress.add_task("reading", total=total, note="")
        return self._progress

    def processed(self, done: int) -> None:
        """So many comments have been scored and watched."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, note=f"{done:,} comments")

    def alert(self, event: AlertEventInfo) -> None:
        """An alert event when it arises."""
        self._console.print(alert_card(event, name=_NAMES.get(event.kol_id)))

    def closing(
        self, moods: Sequence[MoodInfo], alerts: Sequence[AlertInfo], storm_start: datetime
    ) -> None:
        """The two days in one table, and how soon the storm was detected."""
        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            collapse_padding=True,
            title="Two days, three KOLs (times in UTC)",
        )
        table.add_column("KOL", no_wrap=True)
        for heading in ("comments", "mood", "negative"):
            table.add_column(heading, justify="right")
        for heading in ("alert", "opened", "resolved"):
            table.add_column(heading, no_wrap=True)
        for mood in moods:
            raised = [alert for alert in alerts if alert.kol_id == mood.kol_id]
            if not raised:
                table.add_row(*_figures(mood), Text("none", style="green"), "", "")
            for index, alert in enumerate(raised):
                pages = alert.severity != "info"
                resolved = alert.resolved_at if alert.state == "resolved" else None
                table.add_row(
                    *(_figures(mood) if index == 0 else [""] * 4),
                    severity(alert.severity) if pages else Text(spaced(alert.kind), style="cyan"),
                    instant(alert.opened_at, "%a %H:%M"),
                    instant(resolved, "%a %H:%M") if resolved else "still open",
                )
        self._console.print(table)
        storm = storm_alert(alerts)
        if storm is not None:
            minutes = (storm.opened_at - storm_start).total_seconds() / 60
            self.say(
                f"The first hostile comments about {_NAMES[SCENARIO.storm_kol]} were written at "
                f"{storm_start:%H:%M} UTC. The alert was raised {minutes:.0f} minutes later."
            )

    def serving_on(self, url: str, alerts: Sequence[AlertInfo]) -> None:
        """That the service keeps running, and which pages to open."""
        self.say("\nThe service keeps running until you press Ctrl-C. Open these pages:")
        storm = storm_alert(alerts)
        pages = [] if storm is None else [("the storm", f"/alerts/{storm.alert_id}")]
        self._addresses(url, {**dict(pages), "API documentation": "/docs", "metrics": "/metrics"})

    def stopped(self, database: str | None, *, kept: bool) -> None:
        """That the service has stopped, and how to get one that runs.

        Args:
            database: the file that keeps the data; None if it was deleted.
            kept: whether it ran until Ctrl-C.
        """
        self.say("\nThe demo's service has stopped.")
        if not kept:
            self.say("To look around in it, run 'groundswell demo --keep'.")
        if database is not None:
            self.say(f"To serve its data: groundswell serve --database-url sqlite:///{database}")
        self.say("To start a service for your own comments: make serve (or groundswell serve)")

    def _addresses(self, url: str, pages: Mapping[str, str]) -> None:
        table = Table.grid(padding=(0, 2))
        for label, path in pages.items():
            table.add_row(Text(f"  {label}", style="dim"), Text(url + path))
        self._console.print(table, soft_wrap=True)


def storm_alert(alerts: Sequence[AlertInfo]) -> AlertInfo | None:
    """The first alert on the storm, if it was raised."""
    return min(
        (
            alert
            for alert in alerts
            if alert.kol_id == SCENARIO.storm_kol and alert.severity != "info"
        ),
        key=lambda alert: alert.opened_at,
        default=None,
    )


def _figures(mood: MoodInfo) -> list[Text | str]:
    total = sum(point.comments for point in mood.points)
    mean = sum(point.comments * point.mood for point in mood.points) / max(total, 1)
    share = sum(point.comments * point.negative_share for point in mood.points) / max(total, 1)
    return [Text(_NAMES[mood.kol_id]), f"{total:,}", f"{mean:+.2f}", f"{share:.0%}"]
