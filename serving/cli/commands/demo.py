"""groundswell demo: two days in a minute."""

import asyncio
import re
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from serving.cli.options import Model, Port

_FOREIGN_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture fetches nothing


def demo(
    port: Port = None,
    keep: Annotated[
        bool | None,
        typer.Option(
            "--keep/--no-keep",
            help="Keep the service running at the end, or stop it [default: keep it if you run the "
            "demo in a terminal].",
        ),
    ] = None,
    database: Annotated[
        Path | None,
        typer.Option(
            "--database",
            help="Keep the data in this new file [default: a temporary file].",
        ),
    ] = None,
    model: Model = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Save what is shown as an SVG picture in this file."),
    ] = None,
) -> None:
    """See Groundswell at work: two days of comments in a minute, with a storm and a praise surge.

    Starts the real service on this machine, sends it several thousand written comments in English,
    Vietnamese and Korean on three fictional KOLs, and shows each alert when it is raised.
    """
    from uvicorn.loops.auto import auto_loop_factory

    from serving.cli import terminal
    from serving.cli.demo.screen import DemoScreen
    from serving.cli.demo.story import play
    from serving.clock import SystemClock
    from serving.errors import InputError

    if database is not None and database.exists():
        raise InputError(f"--database {database} exists already; give the name of a new file")
    keep = terminal.is_attended() and record is None if keep is None else keep
    console = terminal.SafeConsole(record=True, width=100) if record else terminal.out
    screen = DemoScreen(console, live=sys.stdout.isatty() and record is None)
    end = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    with tempfile.TemporaryDirectory(prefix="groundswell-demo-") as folder:
        path = (database or Path(folder) / "demo.db").resolve()
        settings = terminal.settings(
            host="127.0.0.1",
            port=port,
            database_url=f"sqlite:///{path}",
            model=model,
            access="open",
        )
        terminal.log_errors_only(settings)
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(play(settings, end, screen, keep=keep))
    screen.stopped(None if database is None else str(path), kept=keep)
    if record is not None:
        picture = console.export_svg(title="groundswell demo")
        record.write_text(_FOREIGN_FONTS.sub("", picture), encoding="utf-8")
