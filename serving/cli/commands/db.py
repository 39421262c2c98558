"""groundswell db: upgrade, rebuild, back up, restore or check the database."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DatabaseUrl

if TYPE_CHECKING:
    from serving.storage.backup import Backup
    from serving.storage.database import Database

app = typer.Typer(no_args_is_help=True)

BackupFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The file of the backup.", show_default=False)
]


@app.callback()
def db() -> None:
    """Upgrade, rebuild, back up, restore or check the database."""


@app.command()
def upgrade(database_url: DatabaseUrl = None) -> None:
    """Upgrade the database to the schema of this version. 'serve' does so, too, when it starts."""
    from serving.cli import terminal
    from serving.storage.database import Database

    settings = terminal.settings(database_url=database_url)
    database = Database(settings.database_url, settings.database_password_file)
    database.upgrade()
    terminal.say(f"{database.label} is up to date.")


@app.command()
def rebuild(database_url: DatabaseUrl = None) -> None:
    """Delete scores, moods and alerts; the next 'serve' computes them again from the comments.

    Use it after a change of the model or of the detectors. Comments, KOL profiles, silences and
    what people did to alerts stay. Nobody is notified again. Stop the service first.
    """
    from serving.cli import terminal
    from serving.storage.database import Database
    from serving.storage.step_store import StepStore

    settings = terminal.settings(database_url=database_url)
    database = Database(settings.database_url, settings.database_password_file)
    database.upgrade()

    async def clear() -> None:
        try:
            await StepStore(database).clear_derived()
        finally:
            await database.close()

    asyncio.run(clear())
    terminal.say(
        f"{database.label} keeps its comments. Run 'groundswell serve' to compute scores and "
        "alerts again."
    )


@app.command()
def backup(file: BackupFile, database_url: DatabaseUrl = None) -> None:
    """Write a backup into one file, and check it. The service may run.

    The file is a SQLite database, also of a PostgreSQL one.
    """
    from serving.cli import terminal
    from serving.storage.backup import back_up

    database = _database(database_url)

    async def run() -> "Backup":
        try:
            return await back_up(database, file)
        finally:
            await database.close()

    done = asyncio.run(run())
    terminal.say(
        f"{file} holds {done.comments:,} comments, up to place {done.last_seq:,} of the log"
        f" ({done.size:,} bytes). It was checked."
    )


@app.command()
def restore(
    file: BackupFile,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete what the database holds now.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Restore a backup, after checking it. Stop the service first.

    A backup of either kind of database can be restored into either kind.
    """
    from serving.cli import terminal
    from serving.storage import backup as backups

    database = _database(database_url)

    async def run() -> "Backup":
        try:
            return await backups.restore(file, database, replace=replace)
        finally:
            await database.close()

    done = asyncio.run(run())
    terminal.say(
        f"{database.label} holds the {done.comments:,} comments of {file}, up to place"
        f" {done.last_seq:,} of the log."
    )


@app.command()
def check(database_url: DatabaseUrl = None) -> None:
    """Check that the database is whole. It only reads; the service may run.

    Every problem is printed with its remedy. The exit code is 1 if there is one.
    """
    from serving.cli import terminal
    from serving.storage.database_check import check_database

    database = _database(database_url)

    async def run() -> list[str]:
        try:
            return await check_database(database)
        finally:
            await database.close()

    problems = asyncio.run(run())
    for problem in problems:
        terminal.complain(problem)
    if problems:
        raise typer.Exit(terminal.ExitCode.FAILED)
    terminal.say(f"{database.label} is whole.")


def _database(database_url: str | None) -> "Database":
    from serving.cli import terminal
    from serving.storage.database import Database

    settings = terminal.settings(database_url=database_url)
    return Database(settings.database_url, settings.database_password_file)
