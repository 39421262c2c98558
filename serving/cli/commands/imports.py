"""groundswell import: files of comments into a service."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import AsJson, DatabaseUrl, Model

if TYPE_CHECKING:
    from groundswell_client import AsyncClient
    from serving.ingest.importers.import_options import ImportOptions


def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="CSV, Excel, JSON, NDJSON or parquet files, or the exports of known tools; also "
            "compressed.",
            show_default=False,
        ),
    ],
    kol: Annotated[str | None, typer.Option("--kol", help="The KOL of every comment.")] = None,
    platform: Annotated[
        str | None, typer.Option("--platform", help="The platform of every comment.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="FIELD=PATH",
            help="Read a field from a column, key or JMESPath expression, for example "
            "text=snippet.textOriginal; repeat the option for several.",
        ),
    ] = None,
    date_format: Annotated[
        str | None,
        typer.Option("--date-format", help="The format of all times, such as '%d.%m.%Y %H:%M'."),
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first",
            help="Whether 01/02/2026 is 1 February or January 2 [default: such times are refused].",
            show_default=False,
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="When the file was made, to read times like '2 days ago'."),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            "--time-zone", help="Time zone of times that name none, like Asia/Seoul or +07:00."
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="The tool that made the files [default: recognised]."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="The sheet of a spreadsheet [default: found].")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of a text file [default: found].")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", help="Delimiter of a table [default: found].")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", help="Address of a running service [default: run one inside this command]."
        ),
    ] = None,
    database_url: DatabaseUrl = None,
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Read files of comments, in any order and form, and say what was found.

    The comments are sorted by time and sent to a service. Rows that cannot be read are listed in
    FILE.rejected.csv. Importing a file twice is safe: comments that are there count as duplicates.
    """
    from serving.cli.commands.replay import service_for
    from serving.cli.instants import parse_time
    from serving.ingest.importers.field_source import parse_fields
    from serving.ingest.importers.import_options import ImportOptions
    from serving.ingest.importers.preset import catalogue
    from serving.ingest.importers.row_mapper import FIELDS
    from serving.ingest.values.rules import TimeRules
    from serving.ingest.values.times import parse_zone

    if url is not None and (database_url or model):
        raise typer.BadParameter("--database-url and --model cannot be combined with --url")
    if preset is not None:
        catalogue().named(preset)
    try:
        zone = parse_zone(time_zone) if time_zone else None
    except ValueError as error:
        raise typer.BadParameter(f"--time-zone {error}") from None
    given = (("kol_id", kol), ("platform", platform))
    options = ImportOptions(
        constants={name: value for name, value in given if value},
        fields=parse_fields(field or [], FIELDS),
        times=TimeRules(
            zone, date_format, day_first, parse_time("--as-of", as_of) if as_of else None
        ),
        preset=preset,
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
    )
    service = service_for(url, database_url, model)
    code = asyncio.run(_run(files, options, service, as_json=as_json))
    if code:
        raise typer.Exit(code)


async def _run(
    files: Sequence[Path],
    options: "ImportOptions",
    service: AbstractAsyncContextManager["AsyncClient"],
    *,
    as_json: bool,
) -> int:
    from groundswell_client.errors import ClientError
    from serving.cli import terminal
    from serving.cli.files.client_sink import ClientSink
    from serving.cli.files.import_result import result_of
    from serving.cli.output.import_progress import import_progress
    from serving.cli.output.import_summary import result_json, result_text
    from serving.clock import SystemClock
    from serving.errors import ServingError
    from serving.ingest.import_folder import import_folder
    from serving.ingest.importers.importer import Importer
    from serving.ingest.importers.known_kols import known_kols
    from serving.ingest.importers.rejected import RejectedFiles

    rejected = RejectedFiles(list(files))
    async with service as client:
        with import_folder(None) as folder, import_progress(terminal.err) as progress:
            kols = await client.kols.list().all()
            known = known_kols((kol.kol_id, kol.handles) for kol in kols)
            importer = Importer(
                options, ClientSink(client), rejected, progress, known, spool=folder
            )
            count = importer.count
            try:
                await importer.run([(path, path.name) for path in files], SystemClock().now())
            except (ClientError, ServingError) as error:
                if count.sent:
                    error.add_note(_again(count.sent))
                raise
            except asyncio.CancelledError:  # Ctrl-C
                terminal.say(f"interrupted; {_again(count.sent)}")
                raise
            await client.wait_until_processed(progress.processing)
        result = await result_of(client, count)
    if as_json:
        terminal.print_json(result_json(result, rejected.written))
    else:
        terminal.out.print(result_text(result, rejected.written), soft_wrap=True)
    if not count.kept:
        return terminal.ExitCode.NOTHING_READ
    return terminal.ExitCode.OK if count.whole else terminal.ExitCode.PARTLY_READ


def _again(sent: int) -> str:
    return (
        f"{sent:,} comments had been sent; it is safe to run the same command again, they will "
        "count as duplicates"
    )
