"""groundswell replay: a file of comments into a service."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.options import AsJson, DatabaseUrl, Model

if TYPE_CHECKING:
    from serving.cli.files.readers import CommentFile
    from serving.cli.files.replayer import Tally
    from serving.client.client import ServiceClient


def replay(
    file: Annotated[
        Path, typer.Argument(help="A parquet, csv, tsv, ndjson or jsonl file, text also as .gz.")
    ],
    speed: Annotated[
        str,
        typer.Option(
            "--speed", help="1 as it happened, 60 a minute a second, 'max' as fast as it goes."
        ),
    ] = "max",
    url: Annotated[
        str | None,
        typer.Option("--url", help="Address of a running service; unset to work in this process."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="FIELD=COLUMN", help="A column with another name; repeatable."
        ),
    ] = None,
    platform: Annotated[
        str | None, typer.Option("--platform", help="Platform of every comment of the file.")
    ] = None,
    kol_id: Annotated[
        str | None, typer.Option("--kol-id", help="KOL of every comment of the file.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", help="Zone of times written without one, for example UTC."),
    ] = None,
    encoding: Annotated[str, typer.Option("--encoding", help="Encoding of a CSV file.")] = "utf-8",
    delimiter: Annotated[
        str | None,
        typer.Option("--delimiter", help="Delimiter of a CSV file; found in its header if unset."),
    ] = None,
    database_url: DatabaseUrl = None,
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Send a file of comments through Groundswell and show the alerts it raises.

    Into a running service with --url, else in this process, on --database-url. Sending a file
    twice is safe: what is known already counts as a duplicate.
    """
    from serving.cli import terminal
    from serving.cli.files.columns import ColumnMap, parse_assignments, parse_zone
    from serving.cli.files.readers import CommentFile

    pace = _parse_speed(speed)
    mapping = ColumnMap(
        parse_assignments(column or []),
        {key: value for key, value in (("platform", platform), ("kol_id", kol_id)) if value},
        parse_zone(timezone) if timezone else None,
    )
    with CommentFile(file, mapping, encoding=encoding, delimiter=delimiter) as comments:
        if ignored := comments.binding.ignored:
            terminal.say(f"ignored columns: {', '.join(ignored)}")
        service = _service(url, database_url, model)
        code = asyncio.run(_run(comments, service, pace, as_json=as_json))
    if code:
        raise typer.Exit(code)


def _service(
    url: str | None, database_url: str | None, model: str | None
) -> AbstractAsyncContextManager["ServiceClient"]:
    """The running service at `url`, or one inside this process."""
    if url is not None:
        from serving.client.client import connect

        return connect(url)
    from serving.cli import hosting, terminal

    settings = terminal.settings(database_url=database_url, model=model)
    terminal.log_errors_only(settings)
    return hosting.in_process(settings)


def _parse_speed(speed: str) -> float | None:
    if speed.strip().lower() == "max":
        return None
    try:
        value = float(speed)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise typer.BadParameter(f"{speed!r} is neither a number above 0 nor 'max'")
    return value


async def _run(
    file: "CommentFile",
    service: AbstractAsyncContextManager["ServiceClient"],
    pace: float | None,
    *,
    as_json: bool,
) -> int:
    from serving.cli import terminal
    from serving.cli.files.replayer import Tally, replay
    from serving.cli.output import render
    from serving.cli.output.progress import replay_progress
    from serving.errors import ServingError

    tally = Tally()
    async with service as client:
        with replay_progress(file, tally, terminal.err) as progress:
            try:
                await replay(file, client, speed=pace, tally=tally, report=progress.sent)
            except ServingError as error:
                if tally.sent:
                    error.add_note(_how_far(tally))
                raise
            except asyncio.CancelledError:  # Ctrl-C
                terminal.say(f"interrupted; {_how_far(tally)}")
                raise
            await client.worked_off(progress.worked_off)
        alerts = await _alerts(client, tally)
    if as_json:
        terminal.print_json(render.tally_json(tally) | {"alerts": alerts})
    else:
        terminal.out.print(render.tally_text(tally, file.path.name))
        terminal.out.print(render.alert_table(alerts))
    nothing_good = not tally.accepted and not tally.duplicates
    return terminal.ExitCode.USAGE if nothing_good else terminal.ExitCode.OK


def _how_far(tally: "Tally") -> str:
    return (
        f"{tally.sent:,} comments had arrived; the same command again is safe, they will count "
        "as duplicates"
    )


async def _alerts(client: "ServiceClient", tally: "Tally") -> list[dict[str, Any]]:
    """The alerts on the file's KOLs that opened in the file's time, first opened first."""
    if tally.first is None or tally.last is None:
        return []
    found = [
        alert
        async for alert in client.pages("/alerts", since=tally.first.isoformat(), limit=1000)
        if alert["kol_id"] in tally.kol_ids
    ]
    return sorted(found, key=lambda alert: str(alert["opened_at"]))
