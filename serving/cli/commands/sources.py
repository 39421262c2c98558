"""groundswell sources: let comments come in by themselves."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from serving.cli.options import DEFAULT_URL, AsJson, Url

if TYPE_CHECKING:
    from groundswell_client import AsyncClient
    from groundswell_client.models.sources import SourceInfo, SourcePreviewInfo, SourceTypeInfo

app = typer.Typer(no_args_is_help=True)
T = TypeVar("T")

SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="The id or the name that 'groundswell sources list' shows.",
        show_default=False,
    ),
]


@app.callback()
def sources() -> None:
    """Let comments come in by themselves, from YouTube, Instagram, RSS and more."""


@app.command("types")
def list_types(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the types of source there are."""
    from serving.cli import terminal
    from serving.cli.output.source_table import source_type_table

    found = _call(url, lambda client: client.sources.types().all())
    if as_json:
        terminal.print_json([one.raw for one in found])
    else:
        terminal.out.print(source_type_table(found))


@app.command()
def add(
    source_type: Annotated[
        str,
        typer.Argument(
            metavar="TYPE", help="One that 'groundswell sources types' lists.", show_default=False
        ),
    ],
    kol_id: Annotated[
        str | None, typer.Option("--kol-id", help="The KOL whose comments it brings.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What people call it [default: the type and KOL].")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting; repeat the option for several. A secret is better named: "
            "token=env:NAME or token=file:NAME of the service.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Add it without asking.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Add a source. Asks for the settings that are not given, asks the platform whether they
    work, and shows what the source will see, what it cannot see and what it costs.
    """
    from serving.cli import terminal
    from serving.cli.output.source_table import source_preview
    from serving.cli.source_settings import ask_for, given_settings, missing

    kind = _type(url, source_type)
    can_ask = terminal.is_attended() and not as_json
    if kol_id is None and kind.needs_kol:
        if not can_ask:
            raise typer.BadParameter(f"a source of the type {kind.type} needs --kol-id")
        kol_id = typer.prompt("The KOL whose comments it brings (its id)")
    found = given_settings(settings or [], kind.settings)
    if can_ask:
        ask_for(kind.settings, found)
    elif lacking := missing(kind.settings, found):
        needed = " ".join(f"--set {field.name}=…" for field in lacking)
        raise typer.BadParameter(f"settings are missing: {needed}")
    called = name or f"{kind.title} {kol_id or ''}".strip()
    shown = _call(
        url, lambda client: client.sources.preview(kind.type, called, found, kol_id=kol_id)
    )
    if not as_json:
        terminal.out.print(source_preview(shown))
    if not yes:
        if not can_ask:
            raise typer.BadParameter("nothing was added; repeat the command with --yes")
        typer.confirm("\nAdd it?", default=True, abort=True)
    added = _call(url, lambda client: client.sources.add(kind.type, called, found, kol_id=kol_id))
    if as_json:
        terminal.print_json(added.raw)
        return
    terminal.say(f"The source {added.name} is added; its id is {added.source_id}.")
    if added.webhook_url is not None:
        terminal.say(f"Enter this address at the platform, and keep it secret: {added.webhook_url}")
    elif "webhook" in kind.shapes:
        terminal.say(
            "The platform cannot call it: set GROUNDSWELL_PUBLIC_URL, and start the service again."
        )
    terminal.say("'groundswell sources list' shows how it is doing.")


@app.command("list")
def list_sources(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the sources, how they are doing, and what to do about those that see nothing."""
    _show(_call(url, lambda client: client.sources.list().all()), as_json=as_json)


@app.command("test")
def try_out(source: SourceArgument, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Ask the platform whether a source works, and show what it brings."""
    from serving.cli import terminal
    from serving.cli.output.source_table import source_preview

    async def ask(client: "AsyncClient") -> "SourcePreviewInfo":
        return await client.sources.test((await _found(client, source)).source_id)

    shown = _call(url, ask)
    if as_json:
        terminal.print_json(shown.raw)
    else:
        terminal.out.print(source_preview(shown))


@app.command()
def pause(source: SourceArgument, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Stop a source until it is resumed."""

    async def stop(client: "AsyncClient") -> "SourceInfo":
        return await client.sources.pause((await _found(client, source)).source_id)

    _show([_call(url, stop)], as_json=as_json)


@app.command()
def resume(source: SourceArgument, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Start a source again, from where it was."""

    async def start(client: "AsyncClient") -> "SourceInfo":
        return await client.sources.resume((await _found(client, source)).source_id)

    _show([_call(url, start)], as_json=as_json)


@app.command()
def remove(source: SourceArgument, url: Url = DEFAULT_URL) -> None:
    """Remove a source. What it brought stays."""
    from serving.cli import terminal

    async def end(client: "AsyncClient") -> str:
        found = await _found(client, source)
        await client.sources.remove(found.source_id)
        return found.name

    terminal.say(f"The source {_call(url, end)} is removed.")


def _type(url: str, name: str) -> "SourceTypeInfo":
    types = _call(url, lambda client: client.sources.types().all())
    for one in types:
        if one.type == name:
            return one
    raise typer.BadParameter(
        f"there are no sources of the type {name!r}, only {', '.join(one.type for one in types)}"
    )


async def _found(client: "AsyncClient", named: str) -> "SourceInfo":
    sources = await client.sources.list().all()
    for one in sources:
        if named in (one.source_id, one.name):
            return one
    known = ", ".join(one.name for one in sources) or "none"
    raise typer.BadParameter(f"there is no source {named!r}; there are {known}")


def _call(url: str, call: "Callable[[AsyncClient], Awaitable[T]]") -> "T":
    from serving.cli.connection import connect

    async def send() -> "T":
        async with connect(url) as client:
            return await call(client)

    return asyncio.run(send())


def _show(found: "list[SourceInfo]", *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output.source_table import source_table

    if as_json:
        terminal.print_json([one.raw for one in found])
    else:
        terminal.out.print(source_table(found))
