"""groundswell db: the database."""

import typer

from serving.commands.options import DatabaseUrl

app = typer.Typer(no_args_is_help=True, help="Look after the database.")


@app.callback()
def db() -> None:
    """Look after the database."""


@app.command()
def upgrade(database_url: DatabaseUrl = None) -> None:
    """Bring the database to this version's schema; 'serve' does it too, at its start."""
    from serving.commands import terminal
    from serving.storage.database import Database

    settings = terminal.settings(database_url=database_url)
    Database(settings.database_url).upgrade()
    terminal.say(f"{settings.database_url} is up to date")
