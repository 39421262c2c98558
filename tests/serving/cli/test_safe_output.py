"""What others wrote cannot control the terminal."""

import io
import json

import pytest
import structlog
from rich.table import Table
from rich.text import Text

from serving.cli import terminal
from serving.logs import configure_logging
from serving.settings import Settings

EVIL = "kol\x1b[2J\x9b31m\x07\u202ereversed\u2066\r\x00end"
SEEN = "kol[2J31mreversedend"
BAD = [char for char in EVIL if not char.isprintable()]


def printed(*renderables: object) -> str:
    file = io.StringIO()
    console = terminal.SafeConsole(file=file, force_terminal=True, width=200, no_color=True)
    for one in renderables:
        console.print(one, markup=False, highlight=False)
    return file.getvalue()


def test_texts_tables_and_markup_are_stripped() -> None:
    table = Table("KOL")
    table.add_row(Text(EVIL))
    table.add_row(EVIL.replace("[", "("))
    for renderable in (EVIL, Text(EVIL), table):
        text = printed(renderable)
        assert "reversed" in text
        assert not any(char in text.replace("\x1b[1m", "").replace("\x1b[0m", "") for char in BAD)
    assert SEEN in printed(EVIL)


def test_colours_of_our_own_are_kept() -> None:
    file = io.StringIO()
    console = terminal.SafeConsole(file=file, force_terminal=True, color_system="standard")
    console.print(Text("critical", style="bold red"))
    assert "\x1b[1;31mcritical\x1b[0m" in file.getvalue()


def test_the_consoles_of_commands_are_safe() -> None:
    assert isinstance(terminal.out, terminal.SafeConsole)
    assert isinstance(terminal.err, terminal.SafeConsole)


def test_an_error_is_stripped(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.complain(EVIL)
    assert not any(char in capsys.readouterr().err for char in BAD)


def test_json_says_the_same_and_holds_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_json({"name": EVIL, "city": "Huế"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"name": EVIL, "city": "Huế"}
    assert "Huế" in text
    assert not any(char in text for char in BAD)
    line = terminal.json_line(json.dumps({"name": EVIL}).encode())
    assert json.loads(line) == {"name": EVIL}
    assert not any(char in line for char in BAD)


def test_log_lines_for_people_are_stripped(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        configure_logging(Settings(log_format="console"))
        structlog.get_logger("x").warning("kol_seen", kol=EVIL)
        text = capsys.readouterr().err
    finally:
        structlog.configure(**before)
    assert "reversed" in text
    assert not any(char in text for char in BAD)
