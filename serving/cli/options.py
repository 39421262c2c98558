"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[
    str,
    typer.Option("--url", envvar="GROUNDSWELL_URL", help="Address of the running service."),
]
DEFAULT_URL = "http://127.0.0.1:8000"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Actor = Annotated[
    str | None,
    typer.Option("--as", envvar="GROUNDSWELL_ACTOR", help="Who you are; your login name if unset."),
]
Note = Annotated[str | None, typer.Option("--note", help="A remark to go with it.")]
Undo = Annotated[bool, typer.Option("--undo", help="Take it back.")]
AlertId = Annotated[str, typer.Argument(metavar="ALERT", help="Its id.", show_default=False)]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url", help="Where everything is stored, for example sqlite:///groundswell.db."
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", help="A model folder or a Hugging Face id; the shipped one if unset."),
]
Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65_535, help="Port; 0 takes a free one.")
]
LogFormat = Annotated[
    str | None,
    typer.Option("--log-format", help="Log lines for a person or a program: console, json."),
]
ExistingFile = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]
