"""groundswell serve: run the service."""

import asyncio
import gc
from typing import Annotated, Literal

import typer

from serving.cli.options import DatabaseUrl, Model, Port

LogFormat = Literal["console", "json"]


def serve(
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            help="Address to listen on; 0.0.0.0 for all [default: GROUNDSWELL_HOST, else "
            "127.0.0.1].",
        ),
    ] = None,
    port: Port = None,
    database_url: DatabaseUrl = None,
    model: Model = None,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            "--log-format",
            help="console for people, json for programs [default: GROUNDSWELL_LOG_FORMAT].",
        ),
    ] = None,
) -> None:
    """Run the service until Ctrl-C.

    Options that are not given are read from the GROUNDSWELL_ environment variables and from
    '.env'; docs/settings.md lists them all.
    """
    from uvicorn.loops.auto import auto_loop_factory

    from serving.cli import hosting, terminal
    from serving.logs import configure_logging

    settings = terminal.settings(
        host=host, port=port, database_url=database_url, model=model, log_format=log_format
    )
    configure_logging(settings)
    hosting.check_exposure(settings)
    listener = hosting.listen(settings.host, settings.port)

    async def run() -> None:
        async with hosting.started(settings) as app:
            # What the start has made stays: to go over it in every later collection takes 0.15 s.
            gc.collect()
            gc.freeze()
            url = hosting.url_of(listener)
            terminal.say(f"Groundswell listens on {url}, API documentation: {url}/docs")
            await hosting.server(app).serve(sockets=[listener])

    with listener, asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(run())
