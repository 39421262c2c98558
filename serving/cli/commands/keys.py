"""groundswell keys: create, list, revoke and rotate API keys."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.access.scope import Scope
from serving.cli.options import DEFAULT_URL, AsJson, DatabaseUrl, KolsFilter, Limit, Url

if TYPE_CHECKING:
    from groundswell_client.models.access import KeyInfo, NewKeyInfo

app = typer.Typer(no_args_is_help=True)

KeyId = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="The id that 'groundswell keys list' shows.", show_default=False
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Write the key to this new file, which only you can read, and do not print it.",
    ),
]


@app.callback()
def keys() -> None:
    """Create, list, revoke and rotate API keys."""


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="What people call the key.")],
    scopes: Annotated[
        list[Scope],
        typer.Option("--scope", help="What it may do; repeat the option for several."),
    ],
    kols: KolsFilter = None,
    brands: Annotated[
        list[str] | None,
        typer.Option("--brand", help="Only the KOLs of this brand; repeat the option for several."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires", help="When it ends: a length like 90d, or a time [default: never]."
        ),
    ] = None,
    out: Out = None,
    url: Url = DEFAULT_URL,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it. It is shown this once: the service stores only its hash.

    With --database-url the key is made in the database of a service that is stopped. So you
    replace an admin key that is lost.
    """
    from serving.cli.connection import connect
    from serving.cli.instants import parse_time_or_length
    from serving.clock import SystemClock

    ends = expires and parse_time_or_length("--expires", expires, SystemClock().now())
    _check_new(out)
    if database_url is not None:
        from serving.cli.direct_keys import create_key

        if kols or brands:
            raise typer.BadParameter("--kol-id and --brand need a running service")
        written = asyncio.run(create_key(database_url, name, scopes, ends or None))
        _show(written, out)
        return

    async def send() -> "NewKeyInfo":
        async with connect(url) as client:
            return await client.keys.create(
                name,
                [scope.value for scope in scopes],
                kols=kols or None,
                brands=brands or None,
                expires_at=ends or None,
            )

    _show_new(asyncio.run(send()), out, as_json=as_json)


@app.command("list")
def list_keys(url: Url = DEFAULT_URL, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List keys, newest first, also those that were revoked."""
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.output.key_table import key_table

    async def fetch() -> "list[KeyInfo]":
        async with connect(url) as client:
            return await client.keys.list(limit=limit).all()

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json([one.raw for one in found])
    else:
        terminal.out.print(key_table(found))


@app.command()
def revoke(key_id: KeyId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Revoke a key: it is refused at once."""
    from serving.cli import terminal
    from serving.cli.connection import connect

    async def send() -> "KeyInfo":
        async with connect(url) as client:
            return await client.keys.revoke(key_id)

    revoked = asyncio.run(send())
    if as_json:
        terminal.print_json(revoked.raw)
    else:
        terminal.say(f"The key {revoked.name!r} is revoked.")


@app.command()
def rotate(
    key_id: KeyId,
    grace: Annotated[
        str,
        typer.Option("--grace", help="How long the former key may be used still, like 30m or 7d."),
    ] = "1d",
    out: Out = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Replace a key by one with a new secret, and print it. All else of the key stays."""
    from serving.cli.connection import connect
    from serving.cli.instants import parse_length

    _check_new(out)
    seconds = int(parse_length("--grace", grace).total_seconds())

    async def send() -> "NewKeyInfo":
        async with connect(url) as client:
            return await client.keys.rotate(key_id, grace_seconds=seconds)

    _show_new(asyncio.run(send()), out, as_json=as_json)


def _check_new(out: Path | None) -> None:
    """Refuse a file that is there before a key is made for it."""
    if out is not None and (out.exists() or out.is_symlink()):
        raise typer.BadParameter(f"--out {out} exists already; give the name of a new file")


def _show_new(made: "NewKeyInfo", out: Path | None, *, as_json: bool) -> None:
    from serving.cli import terminal

    if as_json and out is None:
        terminal.print_json(made.raw)
    else:
        _show(made.key, out)


def _show(written: str, out: Path | None) -> None:
    """Print a key, or write it to a file."""
    import os

    from serving.cli import terminal

    if out is None:
        typer.echo(written)
        terminal.say("Keep this key: it is not shown again.")
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(out, flags, 0o600), "w", encoding="ascii") as file:
        file.write(f"{written}\n")
    terminal.say(f"The key is in {out}.")
