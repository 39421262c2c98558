"""groundswell silence: tell nobody of some alerts for a while."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from serving.cli.commands.triage import name_of
from serving.cli.options import DEFAULT_URL, Actor, AsJson, Url

app = typer.Typer(no_args_is_help=True, help="Tell nobody of some alerts for a while.")


@app.callback()
def silence() -> None:
    """Tell nobody of some alerts for a while."""


@app.command()
def add(
    until: Annotated[
        str, typer.Option("--until", help="When it ends: a length like 2h or 3d, or a time.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    kols: Annotated[
        list[str] | None, typer.Option("--kol-id", help="Only this KOL's alerts; repeatable.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="Only alerts of this kind; repeatable.")
    ] = None,
    posts: Annotated[
        list[str] | None,
        typer.Option("--post", help="Only alerts whose top post is this one; repeatable."),
    ] = None,
    max_severity: Annotated[
        str | None, typer.Option("--max-severity", help="Only this severity and below.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="When it begins, like --until; now if unset.")
    ] = None,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make a silence in a running service; what several options say must all hold."""
    from serving.cli.instants import parse_moment
    from serving.clock import SystemClock

    now = SystemClock().now()
    body = {
        "kols": kols or None,
        "kinds": kinds or None,
        "posts": posts or None,
        "max_severity": max_severity,
        "starts_at": parse_moment("--from", since, now) if since else None,
        "ends_at": parse_moment("--until", until, now),
        "reason": reason,
        "actor": name_of(actor),
    }
    _show([_post(url, "/silences", body)], as_json=as_json)


@app.command("list")
def list_silences(
    state: Annotated[
        str | None, typer.Option("--state", help="Only 'pending', 'active' or 'expired'.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List the silences of a running service, last made first."""
    from serving.client.client import connect

    async def fetch() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async with connect(url) as client:
            async for one in client.pages("/silences", state=state, limit=min(limit, 1000)):
                found.append(one)
                if len(found) == limit:
                    break
        return found

    _show(asyncio.run(fetch()), as_json=as_json)


@app.command()
def expire(
    silence_id: Annotated[int, typer.Argument(metavar="ID", min=1, show_default=False)],
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """End a silence of a running service now."""
    body = {"actor": name_of(actor)}
    _show([_post(url, f"/silences/{silence_id}/expire", body)], as_json=as_json)


def _post(url: str, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    from serving.client.client import connect

    async def post() -> dict[str, Any]:
        async with connect(url) as client:
            return await client.post(path, body)

    return asyncio.run(post())


def _show(silences: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from serving.cli import terminal
    from serving.cli.output import render

    if as_json:
        terminal.print_json(silences)
        return
    if not silences:
        terminal.out.print("no silences")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "state", "from (UTC)", "until (UTC)", "what", "by", "reason"):
        table.add_column(heading, overflow="fold")
    for one in silences:
        ended = one["expired_at"] or one["ends_at"]
        by = [one["created_by"]] + ([f"ended by {one['expired_by']}"] if one["expired_by"] else [])
        cells = [
            str(one["silence_id"]),
            one["state"],
            render.instant(one["starts_at"], "%Y-%m-%d %H:%M"),
            render.instant(ended, "%Y-%m-%d %H:%M"),
            _what(one),
            ", ".join(by),
            one["reason"],
        ]
        table.add_row(*(Text(cell) for cell in cells))
    terminal.out.print(table)


def _what(silence: Mapping[str, Any]) -> str:
    parts = [
        f"{label} {', '.join(silence[key])}"
        for key, label in (("kols", "KOL"), ("kinds", "kind"), ("posts", "post"))
        if silence[key]
    ]
    if silence["max_severity"]:
        parts.append(f"up to {silence['max_severity']}")
    return "; ".join(parts)
