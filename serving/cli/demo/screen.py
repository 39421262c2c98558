"""What the demo shows: alerts as they arise, a bar, and a table at the end."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from serving.cli.demo.scenario import KOLS, SCENARIO
from serving.cli.output.progress import new_progress
from serving.cli.output.render import alert_panel, instant, severity

_NAMES = {kol.kol_id: kol.name for kol in KOLS}


class Screen:
    """The demo's terminal. `progress` is a context to run the story in.

    Args:
        console: where to draw.
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

    def opening(self, url: str, comments: int, start: datetime, end: datetime) -> None:
        """What is about to happen."""
        self.say(
            f"The service listens on {url}. It hears {comments:,} comments that were written "
            f"under the posts of three fictional KOLs from {start:%d %b %H:%M} to "
            f"{end:%d %b %H:%M} UTC; alerts appear as they arise."
        )

    def progress(self, total: int) -> Progress | nullcontext[None]:
        """A bar for `total` comments, for as long as the context lasts."""
        if not self._live:
            return nullcontext()
        self._progress = new_progress(self._console)
        self._task = self._progress.add_task("listening", total=total, note="")
        return self._progress

    def worked_off(self, done: int) -> None:
        """So many comments have been scored and watched."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, note=f"{done:,} comments")

    def alert(self, event: Mapping[str, Any]) -> None:
        """An alert event as it arises."""
        self._console.print(alert_panel(event, name=_NAMES.get(event["kol_id"])))

    def closing(
        self,
        moods: Mapping[str, Mapping[str, Any]],
        alerts: Sequence[Mapping[str, Any]],
        storm_start: datetime,
    ) -> None:
        """The two days in one table, and how soon the storm was heard."""
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
        for kol_id, mood in moods.items():
            points = mood["points"]
            total = sum(point["comments"] for point in points)
            mean = {
                name: sum(point["comments"] * point[name] for point in points) / max(total, 1)
                for name in ("mood", "negative_share")
            }
            first: list[Text | str] = [
                Text(_NAMES[kol_id]),
                f"{total:,}",
                f"{mean['mood']:+.2f}",
                f"{mean['negative_share']:.0%}",
            ]
            raised = [alert for alert in alerts if alert["kol_id"] == kol_id]
            if not raised:
                table.add_row(*first, Text("none", style="green"), "", "")
            for index, alert in enumerate(raised):
                kind = alert["kind"].replace("_", " ")
                paging = alert["severity"] != "info"
                label = severity(alert["severity"]) if paging else Text(kind, style="cyan")
                open_still = alert["state"] != "resolved"
                table.add_row(
                    *(first if index == 0 else [""] * 4),
                    label,
                    instant(alert["opened_at"], "%a %H:%M"),
                    "still open" if open_still else instant(alert["resolved_at"], "%a %H:%M"),
                )
        self._console.print(table)
        pages = [
            datetime.fromisoformat(alert["opened_at"])
            for alert in alerts
            if alert["kol_id"] == SCENARIO.storm_kol and alert["severity"] != "info"
        ]
        if pages:
            minutes = (min(pages) - storm_start).total_seconds() / 60
            self.say(
                f"The first hostile comments about {_NAMES[SCENARIO.storm_kol]} came at "
                f"{storm_start:%H:%M} UTC; the alert was raised {minutes:.0f} minutes later."
            )

    def addresses(self, url: str) -> None:
        """Where to look next."""
        table = Table.grid(padding=(0, 2))
        for label, path in (
            ("alerts", "/v1/alerts"),
            ("API docs", "/docs"),
            ("metrics", "/metrics"),
        ):
            table.add_row(Text(label, style="dim"), Text(url + path))
        self._console.print(table)
