"""Commands that other rooms add through the entry-point group `groundswell.commands`.

Each entry point is a `typer.Typer` whose commands are listed beside ours. It is loaded at start, so
it imports heavy packages inside its commands only.
"""

from importlib.metadata import EntryPoint, entry_points

import typer

GROUP = "groundswell.commands"
PANEL = "Models"


def mount(app: typer.Typer) -> None:
    """Add the commands of every installed entry point to `app`."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        _mount(app, point)


def _mount(app: typer.Typer, point: EntryPoint) -> None:
    try:
        room: typer.Typer = point.load()
    except ModuleNotFoundError as error:
        cause = error

        @app.command(point.name, help="Not available: a package is missing.", rich_help_panel=PANEL)
        def missing() -> None:
            raise cause

        return
    for command in room.registered_commands:
        if not isinstance(command.rich_help_panel, str):
            command.rich_help_panel = PANEL
    app.add_typer(room, name="")  # no name: its commands are listed beside ours
