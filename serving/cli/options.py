"""Options and arguments that several commands share."""

from typing import Annotated, Literal

import typer

from monitoring.kinds import AlertKind, Severity

DEFAULT_URL = "http://127.0.0.1:8000"

AlertState = Literal["open", "resolved", "revised"]
Url = Annotated[
    str, typer.Option("--url", envvar="GROUNDSWELL_URL", help="Address of the service.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Actor = Annotated[
    str | None,
    typer.Option(
        "--as",
        envvar="GROUNDSWELL_ACTOR",
        help="Your name, stored with the change [default: your login name].",
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="List at most this many.")]
KolFilter = Annotated[str | None, typer.Option("--kol-id", help="Only this KOL.")]
KolsFilter = Annotated[
    list[str] | None,
    typer.Option("--kol-id", help="Only this KOL; repeat the option for several."),
]
KindFilter = Annotated[AlertKind | None, typer.Option("--kind", help="Only this kind of alert.")]
SeverityFilter = Annotated[Severity | None, typer.Option("--severity", help="Only this severity.")]
Note = Annotated[str | None, typer.Option("--note", help="A note to store with it.")]
Undo = Annotated[bool, typer.Option("--undo", help="Undo it.")]
AlertId = Annotated[
    str,
    typer.Argument(
        metavar="ALERT", help="The id that 'groundswell alerts' lists.", show_default=False
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="The database, for example sqlite:///groundswell.db "
        "[default: GROUNDSWELL_DATABASE_URL, else sqlite:///groundswell.db].",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="A model folder or a Hugging Face id [default: GROUNDSWELL_MODEL, else the model "
        "that comes with Groundswell].",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=0,
        max=65_535,
        help="Port to listen on; 0 for any free one [default: GROUNDSWELL_PORT, else 8000].",
    ),
]
