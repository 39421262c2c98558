"""groundswell db: the database."""

import typer

from serving.cli.options import DatabaseUrl

app = typer.Typer(no_args_is_help=True, help="Look after the database.")


@app.callback()
def db() -> None:
    """Look after the database."""


@app.command()
def upgrade(database_url: DatabaseUrl = None) -> None:
    """Bring the database to this version's schema; 'serve' does it too, at its start."""
    from serving.cli import terminal
    from serving.storage.database import Database

    settings = terminal.settings(database_url=database_url)
    database = Database(settings.database_url, settings.database_password_file)
    database.upgrade()
    terminal.say(f"{database.label} is up to date")


@app.command()
def rebuild(database_url: DatabaseUrl = None) -> None:
    """Forget scores, moods and alerts; the next 'serve' derives them again from the log.

    For a new model or detector. Comments, KOL profiles and what people did to alerts stay. Stop
    the service first.
    """
    import asyncio

    from serving.cli import terminal
    from serving.storage.database import Database
    from serving.storage.step_store import StepStore

    settings = terminal.settings(database_url=database_url)
    database = Database(settings.database_url, settings.database_password_file)
    database.upgrade()

    async def forget() -> None:
        try:
            await StepStore(database).forget()
        finally:
            await database.close()

    asyncio.run(forget())
    terminal.say(f"{database.label} keeps its comments; start 'serve' to derive the rest")
