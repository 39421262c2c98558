"""groundswell db: upgrade or rebuild the database."""

import typer

from serving.cli.options import DatabaseUrl

app = typer.Typer(no_args_is_help=True)


@app.callback()
def db() -> None:
    """Upgrade or rebuild the database."""


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
    import asyncio

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
