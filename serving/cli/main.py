"""The `groundswell` command. Heavy imports stand inside the commands, so that help is instant."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from model.errors import GroundswellError
from serving.cli import plugins
from serving.cli.commands import (
    alerts,
    check,
    db,
    demo,
    digest,
    explain,
    feedback,
    kols,
    notify,
    replay,
    score,
    serve,
    silence,
    triage,
)

app = typer.Typer(
    name="groundswell",
    help="Hear a crowd turn on a KOL within minutes, and see why.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("groundswell"))
        raise typer.Exit


@app.callback()
def groundswell(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Hear a crowd turn on a KOL within minutes, and see why."""


app.command()(serve.serve)
app.command()(demo.demo)
app.command()(replay.replay)
app.command()(score.score)
app.add_typer(kols.app, name="kols")
app.command()(alerts.alerts)
app.command()(explain.explain)
app.command()(triage.ack)
app.command()(triage.assign)
app.command()(triage.note)
app.command()(triage.snooze)
app.command()(triage.resolve)
app.command("false-alarm")(triage.false_alarm)
app.add_typer(silence.app, name="silence")
app.command()(feedback.feedback)
app.add_typer(digest.app, name="digest")
app.add_typer(notify.app, name="notify")
app.add_typer(check.app, name="check")
app.add_typer(db.app, name="db")
plugins.mount(app)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; an expected error becomes one line."""
    try:
        result = app(list(arguments), standalone_mode=False)
    except typer.TyperException as error:
        from serving.cli import terminal

        if message := error.format_message():  # empty where the help was shown instead
            terminal.complain(f"{message.rstrip('.')}; see --help")
        return error.exit_code
    except typer.Abort:
        return 130
    except GroundswellError as error:
        from serving.cli import terminal

        terminal.complain(error)
        return terminal.exit_code(error)
    except ModuleNotFoundError as error:
        from serving.cli import terminal

        if (advice := terminal.missing_package(error)) is None:
            raise
        terminal.complain(advice)
        return terminal.ExitCode.FAILED
    return result if isinstance(result, int) else 0


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
