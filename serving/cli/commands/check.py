"""groundswell check: whether a file that the service will read is right."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Check files before the service reads them.")


@app.callback()
def check() -> None:
    """Check files before the service reads them."""


@app.command()
def config(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
) -> None:
    """Check a channels file: every mistake with its line and the way to fix it.

    Secrets are looked up in this shell's environment and in '.env', as 'serve' would.
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
    teams = f"; teams {', '.join(found.teams)}" if found.teams else ""
    terminal.say(
        f"{file} is right: channels {', '.join(found.channels)}; routes {len(found.routes)}{teams}"
    )
