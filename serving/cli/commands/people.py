"""groundswell people: who may sign in, and as what."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from serving.access.role import Role
from serving.cli.options import DEFAULT_URL, AsJson, Limit, Url

if TYPE_CHECKING:
    from groundswell_client import AsyncClient
    from groundswell_client.models.people import NewPersonInfo, PersonInfo

app = typer.Typer(no_args_is_help=True)
T = TypeVar("T")

Email = Annotated[
    str, typer.Argument(metavar="EMAIL", help="Their e-mail address.", show_default=False)
]
RoleArgument = Annotated[
    Role, typer.Argument(metavar="ROLE", help="viewer, responder, manager or admin.")
]
Brands = Annotated[
    list[str] | None,
    typer.Option(
        "--brand",
        help="They see only the KOLs of this brand; repeat the option for several "
        "[default: every KOL].",
    ),
]


@app.callback()
def people() -> None:
    """Add people who sign in, list them, change their role, and sign them out."""


@app.command()
def add(
    email: Email,
    name: Annotated[
        str, typer.Option("--name", help="Their name, as others see it; nobody else has it.")
    ],
    role: Annotated[Role, typer.Option("--role", help="viewer, responder, manager or admin.")],
    brands: Brands = None,
    password: Annotated[
        bool,
        typer.Option(
            "--password/--no-password",
            help="Print a password for the first sign-in, or have them sign in at the OpenID "
            "provider only.",
        ),
    ] = True,
    subject: Annotated[
        str | None,
        typer.Option("--oidc-subject", help="Their id (sub) at the OpenID provider."),
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Add a person, and print the password with which they sign in for the first time.

    It is shown this once. There they choose another, which nobody else knows.
    """
    added = _call(
        url,
        lambda client: client.people.add(
            email,
            name,
            role.value,
            brands=brands or None,
            with_password=password,
            oidc_subject=subject,
        ),
    )
    _show_password(added, as_json=as_json)


@app.command("list")
def list_people(url: Url = DEFAULT_URL, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List people, also those whose account is disabled."""
    from serving.cli import terminal
    from serving.cli.output.person_table import person_table

    found = _call(url, lambda client: client.people.list(limit=limit).all())
    if as_json:
        terminal.print_json([one.raw for one in found])
    else:
        terminal.out.print(person_table(found))


@app.command("set-role")
def set_role(
    email: Email, role: RoleArgument, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Give a person another role. It counts from their next request on."""
    _show(
        _call(url, lambda client: client.people.change(email, {"role": role.value})),
        as_json=as_json,
    )


@app.command("set-brands")
def set_brands(
    email: Email,
    brands: Annotated[
        list[str] | None,
        typer.Option("--brand", help="Only the KOLs of this brand; repeat it for several."),
    ] = None,
    every_kol: Annotated[bool, typer.Option("--every-kol", help="Lift the limit.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Limit a person to the KOLs of some brands, or lift the limit."""
    if bool(brands) == every_kol:
        raise typer.BadParameter("give either --brand or --every-kol")
    change = {"brands": brands or None}
    _show(_call(url, lambda client: client.people.change(email, change)), as_json=as_json)


@app.command("set-subject")
def set_subject(
    email: Email,
    subject: Annotated[
        str | None,
        typer.Option("--oidc-subject", help="Their id (sub) at the OpenID provider."),
    ] = None,
    unlink: Annotated[
        bool,
        typer.Option("--unlink", help="Find them by their e-mail address when they next come."),
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Change as whom the OpenID provider knows a person; every session ends."""
    if (subject is not None) == unlink:
        raise typer.BadParameter("give either --oidc-subject or --unlink")
    change = {"oidc_subject": subject}
    _show(_call(url, lambda client: client.people.change(email, change)), as_json=as_json)


@app.command()
def disable(email: Email, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Disable an account: every session ends at once, and nobody can sign in with it."""
    _show(_call(url, lambda client: client.people.disable(email)), as_json=as_json)


@app.command()
def enable(email: Email, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Let a person sign in again whose account was disabled."""
    _show(_call(url, lambda client: client.people.enable(email)), as_json=as_json)


@app.command("reset-password")
def reset_password(email: Email, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Print a new password for a person's next sign-in; every session ends."""
    _show_password(_call(url, lambda client: client.people.reset_password(email)), as_json=as_json)


@app.command("sign-out")
def sign_out(email: Email, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """End every session of a person."""
    from serving.cli import terminal

    ended = _call(url, lambda client: client.people.sign_out(email))
    if as_json:
        terminal.print_json(ended.raw)
    else:
        terminal.say(f"{ended.sessions} sessions of {email} have ended.")


def _call(url: str, call: "Callable[[AsyncClient], Awaitable[T]]") -> "T":
    from serving.cli.connection import connect

    async def send() -> "T":
        async with connect(url) as client:
            return await call(client)

    return asyncio.run(send())


def _show(person: "PersonInfo", *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output.person_table import person_table

    if as_json:
        terminal.print_json(person.raw)
    else:
        terminal.out.print(person_table([person]))


def _show_password(person: "NewPersonInfo", *, as_json: bool) -> None:
    from serving.cli import terminal

    if as_json:
        terminal.print_json(person.raw)
    elif person.password is None:
        terminal.say(f"{person.email} signs in at the OpenID provider.")
    else:
        typer.echo(person.password)
        terminal.say(
            f"{person.email} signs in with this password within 7 days, and chooses another. It is "
            "not shown again."
        )
