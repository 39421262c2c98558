"""groundswell digest: a day or a week of KOLs in figures."""

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_URL, AsJson, KolsFilter, Url

if TYPE_CHECKING:
    from groundswell_client.models.digests import DigestInfo, SentDigestInfo

app = typer.Typer(no_args_is_help=True)

Day = Annotated[
    str | None,
    typer.Option("--day", help="The digest of this day, like 2026-11-20 [default: yesterday]."),
]
Week = Annotated[
    str | None,
    typer.Option("--week", help="The digest of the week, Monday to Sunday, that holds this day."),
]


@app.callback()
def digest() -> None:
    """Show or send the digest of a day or a week."""


@app.command()
def show(
    day: Day = None,
    week: Week = None,
    kols: KolsFilter = None,
    brand: Annotated[
        str | None, typer.Option("--brand", help="Only the KOLs of this brand.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="Use the KOLs and the time zone of this digest of the channels file."
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", help="Time zone of the days, like Asia/Seoul [default: UTC]."),
    ] = None,
    language: Annotated[
        str, typer.Option("--language", help="Language of the text: en or vi.")
    ] = "en",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a digest: mood by KOL, incidents, recoveries and false alarms."""
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.locales.wording import wording
    from serving.notify.render import digest_plain as plain
    from serving.notify.render.digest_content import write
    from serving.storage.digest_record import JSON

    try:
        words = wording(language)
    except ValueError as error:
        raise typer.BadParameter(f"--language: {error}") from None
    every, of = _period(day, week)

    async def fetch() -> "DigestInfo":
        async with connect(url) as client:
            return await client.digests.get(
                every=every, day=of, timezone=timezone, kols=kols, brand=brand, name=name
            )

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json(found.raw)
        return
    # The service's own renderer, so that the text is that of the e-mail.
    text = plain.body_of(write(JSON.validate_json(found.body), words, None))
    terminal.out.print(text, markup=False, highlight=False)


@app.command()
def send(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of a digest of the channels file.", show_default=False
        ),
    ],
    day: Day = None,
    week: Week = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Send a digest of the channels file now, even if it was sent before."""
    import re

    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.notify.config.names import NAME

    if not re.fullmatch(NAME, name):
        raise typer.BadParameter(
            f"NAME {name!r} cannot be the name of a digest; give one as in the channels file"
        )
    every, of = _period(day, week)

    async def post() -> "SentDigestInfo":
        async with connect(url) as client:
            return await client.digests.send(name, every=every, day=of)

    sent = asyncio.run(post())
    if as_json:
        terminal.print_json(sent.raw)
        return
    days = " to ".join(dict.fromkeys((str(sent.first), str(sent.last))))
    terminal.say(f"The digest of {days} is on its way to: {', '.join(sent.channels)}")


def _period(day: str | None, week: str | None) -> tuple[str, date | None]:
    from serving.cli.instants import parse_day

    if day is not None and week is not None:
        raise typer.BadParameter("give --day or --week, not both")
    if week is not None:
        return "week", parse_day("--week", week)
    return "day", None if day is None else parse_day("--day", day)
