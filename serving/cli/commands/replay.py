"""groundswell replay: send a file of comments to a service."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.options import AsJson, DatabaseUrl, Model

if TYPE_CHECKING:
    from groundswell_client import AsyncClient
    from groundswell_client.models.alerts import AlertInfo
    from serving.cli.files.readers import CommentFile
    from serving.cli.files.replay_count import ReplayCount


def replay(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A CSV, Excel, JSON, NDJSON or parquet file, or the export of a known tool; also "
            "compressed.",
            show_default=False,
        ),
    ],
    speed: Annotated[
        str,
        typer.Option(
            "--speed",
            help="How fast: 1 as the comments were written, 60 a minute a second, max as fast as "
            "possible.",
        ),
    ] = "max",
    url: Annotated[
        str | None,
        typer.Option(
            "--url", help="Address of a running service [default: run one inside this command]."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="FIELD=PATH",
            help="Read a field from a column, key or JMESPath expression, for example "
            "created_at=time; repeat the option for several.",
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option("--platform", help="The platform of every comment, if no column has it."),
    ] = None,
    kol_id: Annotated[
        str | None,
        typer.Option("--kol-id", help="The KOL of every comment, if no column has it."),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", help="Time zone of times that name none, like Asia/Seoul."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of a CSV file [default: found].")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", help="Delimiter of a CSV file [default: found].")
    ] = None,
    database_url: DatabaseUrl = None,
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Send a file of comments to a service, and list the alerts that they raise.

    Sending a file twice is safe: comments that the service already has count as duplicates.
    """
    from serving.cli import terminal
    from serving.cli.files.readers import CommentFile
    from serving.ingest.importers.field_source import parse_fields
    from serving.ingest.importers.import_options import ImportOptions
    from serving.ingest.importers.row_mapper import FIELDS
    from serving.ingest.values.rules import TimeRules
    from serving.ingest.values.times import parse_zone

    if url is not None and (database_url or model):
        raise typer.BadParameter("--database-url and --model cannot be combined with --url")
    pace = _parse_speed(speed)
    try:
        zone = parse_zone(timezone) if timezone else None
    except ValueError as error:
        raise typer.BadParameter(f"--timezone {error}") from None
    given = (("platform", platform), ("kol_id", kol_id))
    options = ImportOptions(
        constants={name: value for name, value in given if value},
        fields=parse_fields(column or [], FIELDS),
        times=TimeRules(zone=zone),
        encoding=encoding,
        delimiter=delimiter,
    )
    with CommentFile(file, options) as comments:
        if comments.notes:
            terminal.say("; ".join(comments.notes))
        service = service_for(url, database_url, model)
        code = asyncio.run(_run(comments, service, pace, as_json=as_json))
    if code:
        raise typer.Exit(code)


def service_for(
    url: str | None, database_url: str | None, model: str | None
) -> AbstractAsyncContextManager["AsyncClient"]:
    """The running service at `url`, or one inside this process."""
    if url is not None:
        from serving.cli.connection import connect

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
        raise typer.BadParameter(f"--speed {speed!r} is neither a number above 0 nor 'max'")
    return value


async def _run(
    file: "CommentFile",
    service: AbstractAsyncContextManager["AsyncClient"],
    pace: float | None,
    *,
    as_json: bool,
) -> int:
    from groundswell_client.errors import ClientError
    from serving.cli import terminal
    from serving.cli.files.replay_count import ReplayCount
    from serving.cli.files.replayer import replay
    from serving.cli.output.alert_table import alert_table
    from serving.cli.output.progress import replay_progress
    from serving.cli.output.replay_summary import summary_json, summary_text
    from serving.errors import ServingError

    count = ReplayCount()
    async with service as client:
        with replay_progress(file, count, terminal.err) as progress:
            try:
                await replay(file, client, speed=pace, count=count, report=progress.sent)
            except (ClientError, ServingError) as error:
                if count.sent:
                    error.add_note(_how_far(count))
                raise
            except asyncio.CancelledError:  # Ctrl-C
                terminal.say(f"interrupted; {_how_far(count)}")
                raise
            await client.wait_until_processed(progress.processed)
        alerts = await _alerts(client, count)
    if as_json:
        found = {"alerts": [body for _, body in alerts]}
        terminal.print_json(summary_json(count) | found)
    else:
        terminal.out.print(summary_text(count, file.path.name))
        terminal.out.print(alert_table([alert for alert, _ in alerts]))
    nothing_good = count.sent == count.rejected
    return terminal.ExitCode.USAGE if nothing_good else terminal.ExitCode.OK


def _how_far(count: "ReplayCount") -> str:
    return (
        f"{count.sent:,} comments had been sent; it is safe to run the same command again, they "
        "will count as duplicates"
    )


async def _alerts(
    client: "AsyncClient", count: "ReplayCount"
) -> list[tuple["AlertInfo", dict[str, Any]]]:
    """The alerts on the file's KOLs that opened since its first comment, first opened first; each
    as a record and as JSON.
    """
    if count.first is None:
        return []
    found = await client.alerts.list(since=count.first).all()
    alerts = sorted(found, key=lambda alert: alert.opened_at)
    return [(alert, alert.raw) for alert in alerts if alert.kol_id in count.kol_ids]
