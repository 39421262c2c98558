"""groundswell brands: which KOLs belong to which brand."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from serving.cli.options import DEFAULT_URL, AsJson, Url

if TYPE_CHECKING:
    from groundswell_client import AsyncClient
    from groundswell_client.models.brands import BrandInfo

app = typer.Typer(no_args_is_help=True)
T = TypeVar("T")

BrandArgument = Annotated[
    str,
    typer.Argument(
        metavar="BRAND",
        help="Its name: small letters, digits, '.', '_' and '-'.",
        show_default=False,
    ),
]
Kols = Annotated[
    list[str] | None,
    typer.Option("--kol-id", help="A KOL of the brand; repeat the option for several."),
]


@app.callback()
def brands() -> None:
    """Add brands, list them, and set which KOLs belong to each."""


@app.command("list")
def list_brands(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the brands and their KOLs."""
    _show(_call(url, lambda client: client.brands.list().all()), as_json=as_json)


@app.command()
def create(
    brand: BrandArgument, kols: Kols = None, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Add a brand. One that exists is left as it is."""
    from groundswell_client.errors import PreconditionFailedError

    async def add(client: "AsyncClient") -> "BrandInfo":
        try:
            return await client.brands.create(brand, kols or [])
        except PreconditionFailedError:
            raise typer.BadParameter(
                f"there is a brand {brand!r} already, and it is as before; "
                f"'groundswell brands set {brand}' replaces its KOLs"
            ) from None

    _show([_call(url, add)], as_json=as_json)


@app.command("set")
def set_kols(
    brand: BrandArgument, kols: Kols = None, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Replace the KOLs of a brand. Who is limited to it sees the new ones from now on."""

    async def replace(client: "AsyncClient") -> "BrandInfo":
        await client.brands.get(brand)
        return await client.brands.put(brand, kols or [])

    _show([_call(url, replace)], as_json=as_json)


@app.command()
def delete(brand: BrandArgument, url: Url = DEFAULT_URL) -> None:
    """Delete a brand; its KOLs stay. Who is limited to it sees nothing through it."""
    from serving.cli import terminal

    _call(url, lambda client: client.brands.delete(brand))
    terminal.say(f"The brand {brand} is deleted.")


def _call(url: str, call: "Callable[[AsyncClient], Awaitable[T]]") -> "T":
    from serving.cli.connection import connect

    async def send() -> "T":
        async with connect(url) as client:
            return await call(client)

    return asyncio.run(send())


def _show(found: "list[BrandInfo]", *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output.brand_table import brand_table

    if as_json:
        terminal.print_json([one.raw for one in found])
    else:
        terminal.out.print(brand_table(found))
