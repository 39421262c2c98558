"""groundswell kols: list KOLs, and set the policy that each is judged by."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_URL, Actor, AsJson, Url

if TYPE_CHECKING:
    from groundswell_client.models.kols import KolInfo, PolicyInfo

app = typer.Typer()

KolId = Annotated[
    str,
    typer.Argument(metavar="KOL", help="The id that 'groundswell kols' lists.", show_default=False),
]


@app.callback(invoke_without_command=True)
def kols(context: typer.Context, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List KOLs with their comments, mood and alerts; show or change their alert settings.

    The table shows the last half hour beside what is normal for the KOL at this hour. The score is
    that of the strongest detector over its threshold: 1 raises an alert.
    """
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.output.kol_table import kol_table

    if context.invoked_subcommand is not None:
        return

    async def fetch() -> "list[KolInfo]":
        async with connect(url) as client:
            return await client.kols.list().all()

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json([one.raw for one in found])
    else:
        terminal.out.print(kol_table(found))


@app.command()
def show(kol_id: KolId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show the alert settings of a KOL, and who changed which."""
    from serving.cli.connection import connect

    async def fetch() -> "PolicyInfo":
        async with connect(url) as client:
            return await client.kols.policy(kol_id)

    _print(asyncio.run(fetch()), as_json=as_json)


@app.command("set")
def set_policy(
    kol_id: KolId,
    sensitivity: Annotated[
        float | None,
        typer.Option(
            "--sensitivity",
            help="False pages a month to accept; a lower number is quieter and slower.",
        ),
    ] = None,
    minimum_negative: Annotated[
        float | None,
        typer.Option(
            "--minimum-negative", help="Raise no alert below this many negative comments."
        ),
    ] = None,
    critical_ratio: Annotated[
        float | None,
        typer.Option(
            "--critical-ratio",
            help="Critical needs this many times the normal number of negative comments an hour.",
        ),
    ] = None,
    critical_share: Annotated[
        float | None,
        typer.Option("--critical-share", help="Critical needs this negative share, 0 to 1."),
    ] = None,
    critical_negative: Annotated[
        float | None,
        typer.Option("--critical-negative", help="Critical needs this many negative comments."),
    ] = None,
    reset: Annotated[
        bool,
        typer.Option("--reset", help="Reset every setting that is not given to its default."),
    ] = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Change the alert settings of a KOL. Settings that are not given stay as they are.

    An alert is critical only if it meets all three conditions of the --critical options.
    """
    from serving.cli.commands.triage import name_of
    from serving.cli.connection import connect

    overrides = {
        "sensitivity": sensitivity,
        "minimum_negative": minimum_negative,
        "critical_ratio": critical_ratio,
        "critical_share": critical_share,
        "critical_negative": critical_negative,
    }
    given = {name: value for name, value in overrides.items() if reset or value is not None}
    if not given:
        raise typer.BadParameter("give at least one setting, for example --sensitivity, or --reset")

    async def put() -> "PolicyInfo":
        async with connect(url) as client:
            return await client.kols.set_policy(kol_id, given, actor=name_of(actor))

    _print(asyncio.run(put()), as_json=as_json)


def _print(policy: "PolicyInfo", *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output.kol_table import policy_table

    if as_json:
        terminal.print_json(policy.raw)
        return
    terminal.out.print(policy_table(policy))
    if not policy.in_force:
        terminal.say("The change takes effect when all earlier comments have been processed.")
