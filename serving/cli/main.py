"""The `groundswell` command. Heavy imports are inside the commands, so that help is instant."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from groundswell_client.errors import ClientError
from model.errors import GroundswellError
from serving.cli import plugins
from serving.cli.commands import (
    alerts,
    audit,
    brands,
    check,
    db,
    demo,
    digest,
    explain,
    feedback,
    imports,
    keys,
    kols,
    notify,
    people,
    replay,
    score,
    serve,
    silence,
    sources,
    triage,
)

app = typer.Typer(
    name="groundswell",
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
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            help="The file with the key for the service [default: GROUNDSWELL_API_KEY, else the "
            "file GROUNDSWELL_API_KEY_FILE, else groundswell-admin.key].",
        ),
    ] = None,
) -> None:
    """Groundswell reads the comments under the posts of KOLs (key opinion leaders), and alerts
    you within minutes when a crowd turns against one of them.

    To start: 'groundswell demo'. Every command has its own --help.
    """
    from serving.cli.connection import choose_key_file

    choose_key_file(api_key_file)


RUN, SEND, ALERTS = "Run the service", "Send and score comments", "Alerts"
KOLS, SETUP = "KOLs and reports", "Set up and maintain"

app.command(rich_help_panel=RUN)(demo.demo)
app.command(rich_help_panel=RUN)(serve.serve)
app.command("import", rich_help_panel=SEND)(imports.import_files)
app.command(rich_help_panel=SEND)(replay.replay)
app.command(rich_help_panel=SEND)(score.score)
app.command(rich_help_panel=ALERTS)(alerts.alerts)
app.command(rich_help_panel=ALERTS)(explain.explain)
app.command(rich_help_panel=ALERTS)(triage.ack)
app.command(rich_help_panel=ALERTS)(triage.assign)
app.command(rich_help_panel=ALERTS)(triage.note)
app.command(rich_help_panel=ALERTS)(triage.snooze)
app.command(rich_help_panel=ALERTS)(triage.resolve)
app.command("false-alarm", rich_help_panel=ALERTS)(triage.false_alarm)
app.add_typer(silence.app, name="silence", rich_help_panel=ALERTS)
app.command(rich_help_panel=ALERTS)(feedback.feedback)
app.add_typer(kols.app, name="kols", rich_help_panel=KOLS)
app.add_typer(digest.app, name="digest", rich_help_panel=KOLS)
app.add_typer(sources.app, name="sources", rich_help_panel=SEND)
app.add_typer(keys.app, name="keys", rich_help_panel=SETUP)
app.add_typer(people.app, name="people", rich_help_panel=SETUP)
app.add_typer(brands.app, name="brands", rich_help_panel=SETUP)
app.add_typer(audit.app, name="audit", rich_help_panel=SETUP)
app.add_typer(check.app, name="check", rich_help_panel=SETUP)
app.add_typer(notify.app, name="notify", rich_help_panel=SETUP)
app.add_typer(db.app, name="db", rich_help_panel=SETUP)
plugins.mount(app)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code. Expected errors are printed on one line."""
    try:
        result = app(list(arguments), standalone_mode=False, prog_name="groundswell")
    except typer.TyperException as error:
        from serving.cli import terminal

        if message := error.format_message():  # empty where the help was shown instead
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "groundswell"
            terminal.complain(f"{terminal.usage_message(message)}; see '{command} --help'")
        return error.exit_code
    except typer.Abort:
        return 130
    except (GroundswellError, ClientError) as error:
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
