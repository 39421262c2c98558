"""Commands that other rooms add through the entry-point group `groundswell.commands`.

Each entry point is a `typer.Typer` whose commands stand beside ours. It is loaded at start, so it
imports what is heavy inside its commands only.
"""

from importlib.metadata import EntryPoint, entry_points

import typer

GROUP = "groundswell.commands"


def mount(app: typer.Typer) -> None:
    """Add the commands of every installed entry point to `app`."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        _mount(app, point)


def _mount(app: typer.Typer, point: EntryPoint) -> None:
    try:
        app.add_typer(point.load(), name="")  # no name: its commands stand beside ours
    except ModuleNotFoundError as error:
        cause = error

        @app.command(point.name, help="Not available: a package is missing.")
        def missing() -> None:
            raise cause
