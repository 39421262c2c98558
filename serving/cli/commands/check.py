"""groundswell check: check files that the service reads."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def check() -> None:
    """Check the channels file before the service reads it."""


@app.command()
def config(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A channels file, for example channels.toml.", show_default=False
        ),
    ],
) -> None:
    """Check a channels file: every mistake with its line and the way to fix it.

    Secrets are read from the environment and from '.env', as 'serve' reads them.
    """
    from serving.cli import terminal
    from serving.notify.config import notification_config as notification_config
    from serving.settings import environment

    try:
        found = notification_config.load(file, environment())
    except notification_config.InvalidConfig as error:
        for issue in error.issues:
            terminal.complain(f"{file}:{issue.line}: {issue.message}")
        raise typer.Exit(terminal.ExitCode.USAGE) from None
    teams = f"; teams: {', '.join(found.teams)}" if found.teams else ""
    terminal.say(
        f"{file} is valid. Channels: {', '.join(found.channels)}; "
        f"routes: {len(found.routes)}{teams}"
    )
