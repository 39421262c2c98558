"""groundswell digest: what befell the KOLs in a day or a week."""

import asyncio
from typing import Annotated, Any

import typer

from serving.cli.options import DEFAULT_URL, AsJson, Url

app = typer.Typer(no_args_is_help=True, help="What befell the KOLs in a day or a week.")

Day = Annotated[
    str | None, typer.Option("--day", help="This day, like 2026-11-20; yesterday if unset.")
]
Week = Annotated[
    str | None, typer.Option("--week", help="The week that this day lies in, Monday to Sunday.")
]


@app.callback()
def digest() -> None:
    """What befell the KOLs in a day or a week."""


@app.command()
def show(
    day: Day = None,
    week: Week = None,
    kols: Annotated[
        list[str] | None, typer.Option("--kol-id", help="Only this KOL; repeatable.")
    ] = None,
    brand: Annotated[
        str | None, typer.Option("--brand", help="Only the KOLs of this brand.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="KOLs and time zone of this digest of the file.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Whose days, like Asia/Seoul; UTC if unset.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Of the text: 'en' or 'vi'.")] = "en",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a digest of a running service: mood by KOL, incidents, recoveries, false alarms."""
    from serving.cli import terminal
    from serving.client.client import connect
    from serving.locales.wording import wording
    from serving.notify.render import digest_plain as plain
    from serving.notify.render.digest_content import write
    from serving.storage.digest_record import JSON

    try:
        words = wording(language)
    except ValueError as error:
        raise typer.BadParameter(f"--language: {error}") from None
    query = _when(day, week) | {"brand": brand, "name": name, "timezone": timezone}

    async def fetch() -> dict[str, Any]:
        async with connect(url) as client:
            return await client.get("/digest", **query, kol_id=kols or None)

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json(found)
        return
    text = plain.body_of(write(JSON.validate_python(found), words, None))
    terminal.out.print(text, markup=False, highlight=False)


@app.command()
def send(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    day: Day = None,
    week: Week = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Have a running service send a digest of its channels file now."""
    import re

    from serving.cli import terminal
    from serving.client.client import connect
    from serving.notify.config.names import NAME

    if not re.fullmatch(NAME, name):
        raise typer.BadParameter(f"{name!r} is no name of a digest")

    async def post() -> dict[str, Any]:
        async with connect(url) as client:
            return await client.post(f"/digests/{name}/send", _when(day, week))

    sent = asyncio.run(post())
    if as_json:
        terminal.print_json(sent)
    else:
        days = " to ".join(dict.fromkeys((sent["first"], sent["last"])))
        terminal.say(f"the digest of {days} goes to {', '.join(sent['channels'])}")


def _when(day: str | None, week: str | None) -> dict[str, str | None]:
    from datetime import date

    if day is not None and week is not None:
        raise typer.BadParameter("give --day or --week, not both")
    option, text = ("--week", week) if week is not None else ("--day", day)
    try:
        parsed = None if text is None else date.fromisoformat(text).isoformat()
    except ValueError:
        raise typer.BadParameter(f"{option} {text!r} is not a day like 2026-11-20") from None
    return {"every": "day" if week is None else "week", "day": parsed}
