"""groundswell silence: mute the notifications of some alerts for a while."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from monitoring.kinds import AlertKind, Severity
from serving.cli.commands.triage import name_of
from serving.cli.options import DEFAULT_URL, Actor, AsJson, KolsFilter, Limit, Url

if TYPE_CHECKING:
    from groundswell_client.models.silences import SilenceInfo

app = typer.Typer(no_args_is_help=True)

SilenceState = Literal["pending", "active", "expired"]


@app.callback()
def silence() -> None:
    """Mute the notifications of some alerts for a while."""


@app.command()
def add(
    until: Annotated[
        str,
        typer.Option(
            "--until", help="When it ends: a length like 2h or 3d, or a time like 2026-03-01T12:30."
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; others can read it.")],
    kols: KolsFilter = None,
    kinds: Annotated[
        list[AlertKind] | None,
        typer.Option("--kind", help="Only this kind of alert; repeat the option for several."),
    ] = None,
    posts: Annotated[
        list[str] | None,
        typer.Option(
            "--post",
            help="Only alerts whose top post has this id; repeat the option for several.",
        ),
    ] = None,
    max_severity: Annotated[
        Severity | None,
        typer.Option("--max-severity", help="Only alerts of at most this severity."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="When it begins, written like --until [default: now]."),
    ] = None,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Add a silence: alerts that match all of its filters send no notifications until it ends.

    At least one of --kol-id, --kind, --post and --max-severity is needed.
    """
    from groundswell_client.models.silences import SilenceRequest
    from serving.cli.connection import connect
    from serving.cli.instants import parse_time_or_length
    from serving.clock import SystemClock

    if not (kols or kinds or posts or max_severity):
        raise typer.BadParameter("give at least one of --kol-id, --kind, --post, --max-severity")
    now = SystemClock().now()
    request = SilenceRequest(
        kols=tuple(kols) if kols else None,
        kinds=tuple(kinds) if kinds else None,
        posts=tuple(posts) if posts else None,
        max_severity=max_severity,
        starts_at=parse_time_or_length("--from", since, now) if since else None,
        ends_at=parse_time_or_length("--until", until, now),
        reason=reason,
        actor=name_of(actor),
    )

    async def post() -> "SilenceInfo":
        async with connect(url) as client:
            return await client.silences.add(request)

    _show_one(asyncio.run(post()), as_json=as_json)


@app.command("list")
def list_silences(
    state: Annotated[SilenceState | None, typer.Option("--state", help="Only this state.")] = None,
    limit: Limit = 100,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List silences, the latest first."""
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.output.silence_table import silence_table

    async def fetch() -> "list[SilenceInfo]":
        async with connect(url) as client:
            return await client.silences.list(state=state, limit=limit).all()

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json([one.raw for one in found])
    else:
        terminal.out.print(silence_table(found))


@app.command()
def expire(
    silence_id: Annotated[
        int,
        typer.Argument(
            metavar="SILENCE",
            min=1,
            help="The id that 'groundswell silence list' lists.",
            show_default=False,
        ),
    ],
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """End a silence now."""
    from serving.cli.connection import connect

    async def post() -> "SilenceInfo":
        async with connect(url) as client:
            return await client.silences.expire(silence_id, actor=name_of(actor))

    _show_one(asyncio.run(post()), as_json=as_json)


def _show_one(silence: "SilenceInfo", *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output.silence_table import silence_table

    if as_json:
        terminal.print_json([silence.raw])
    else:
        terminal.out.print(silence_table([silence]))
