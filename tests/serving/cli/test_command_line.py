"""The command line: its page in docs/, its help, its exit codes, its one-line errors."""

import asyncio
import inspect
import re
import subprocess
import sys
from collections.abc import Coroutine
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer
import typer.main

from groundswell_client import errors
from model.classifier import SentimentClassifier
from model.errors import ModelError
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.cli import hosting, plugins, terminal
from serving.cli import main as cli
from serving.cli.files import readers

DOCS = Path(__file__).parents[3] / "docs"
OPEN = "anyone who can reach 0.0.0.0 could read and change everything"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from outside, a wide terminal, the fake model, a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("GROUNDSWELL_URL", raising=False)
    fake = SentimentClassifier.from_backend(FakeBackend())
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=fake))
    monkeypatch.setattr(SentimentClassifier, "load", lambda *_, **__: fake)


def commands() -> dict[str, typer.main.TyperCommand]:
    found = {}
    for name, command in typer.main.get_command(cli.app).commands.items():
        for sub, inner in (getattr(command, "commands", None) or {"": command}).items():
            found[f"{name} {sub}".strip()] = inner
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_and_option_is_documented(name: str) -> None:
    text = (DOCS / "cli.md").read_text()
    heading = rf"^### groundswell {name}(?: [^a-z].*)?\n"
    (section,) = re.findall(rf"{heading}((?:(?!#).*\n)*)", text, re.MULTILINE)
    for parameter in commands()[name].params:
        if parameter.name == "help":
            continue
        for option in [*parameter.opts, *parameter.secondary_opts]:
            if option.startswith("-"):
                assert f"`{option}" in section, f"{name} {option}"


def test_general_options_exit_codes_and_error_codes_are_documented() -> None:
    text = (DOCS / "cli.md").read_text()
    for parameter in typer.main.get_command(cli.app).params:
        assert all(f"{option}`" in text for option in parameter.opts)
    for code in terminal.ExitCode:
        assert f"| {code.value} |" in text
    for module in (errors, readers, hosting):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and hasattr(kind, "code"):
                assert f"| `{kind.code}` |" in text


def test_documented_options_exist() -> None:
    known = {
        option
        for command in [*commands().values(), typer.main.get_command(cli.app)]
        for parameter in command.params
        for option in [*parameter.opts, *parameter.secondary_opts]
    }
    text = (DOCS / "cli.md").read_text()
    used = {word.strip("`,;.") for word in text.split() if word.strip("`(").startswith("--")}
    assert {word.partition("`")[0] for word in used} <= known | {"--help"}


def test_help_needs_no_heavy_import() -> None:
    heavy = {"fastapi", "sqlalchemy", "onnxruntime", "numpy", "pandas", "pyarrow", "river", "torch"}
    code = (
        "import sys; from serving.cli.main import run; assert run(['--help']) == 0;"
        f"print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for name in ("serve", "demo", "replay", "score", "kols", "alerts", "explain", "db"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["fly"], 2, "No such command 'fly'"),
        (["replay"], 2, "Missing argument 'FILE'"),
        (["replay", "none.csv"], 2, "there is no file none.csv"),
        (["replay", "bad.csv", "--spede", "1"], 2, "--speed"),
        (["replay", "bad.csv", "--speed", "-1"], 2, "neither a number above 0 nor 'max'"),
        (["replay", "bad.csv", "--column", "when=t"], 2, "no field 'when'"),
        (["replay", "bad.csv", "--timezone", "Mars"], 2, "--timezone 'Mars' is not a time zone"),
        (["replay", "bad.csv"], 2, "no column for kol_id, created_at"),
        (["replay", "good.csv", "--url", "http://127.0.0.1:9"], 3, "no service answers"),
        (["replay", "good.csv", "--database-url", "oracle://x"], 1, "database_url"),
        (["kols", "--url", "http://127.0.0.1:9"], 3, "no service answers"),
        (["alerts", "--url", "nowhere"], 3, "is not an address"),
        (["explain", "a1", "--url", "http://127.0.0.1:9"], 3, "no service answers"),
        (["explain"], 2, "Missing argument"),
        (["alerts", "--since", "soon"], 2, "not a time"),
        (["alerts", "x", "--follow"], 2, "--follow can be combined with"),
        (
            ["alerts", "--state", "opne"],
            2,
            "'--state': 'opne' is not one of 'open', 'resolved', 'revised'; see",
        ),
        (
            ["alerts", "--limit", "0"],
            2,
            "'--limit': must be greater than or equal to 1; see 'ground",
        ),
        (["alerts", "a1", "--state", "open"], 2, "either an ALERT or filters, not both"),
        (
            ["silence", "add", "--until", "2h", "--reason", "x"],
            2,
            "--kol-id, --kind, --post, --max",
        ),
        (
            ["silence", "expire", "one"],
            2,
            "'SILENCE': must be a valid integer; see 'groundswell sil",
        ),
        (["replay", "good.csv", "--url", "http://x", "--model", "m"], 2, "combined with --url"),
        (["replay", "sheet.xlsx"], 2, "sheet.xlsx cannot be read: File is not a zip file"),
        (["kols", "--url", "here:80"], 3, "set it with --url or GROUNDSWELL_URL"),
        (["score", "none.csv"], 2, "there is no file"),
        (["score", "good.csv", "--text-column", "body"], 2, "no column 'body'"),
        (["serve", "--port", "70000"], 2, "'--port'"),
        (["serve", "--host", "192.0.2.1", "--port", "0"], 1, "of this machine with --host"),
        (["serve", "--log-format", "xml"], 2, "'--log-format'"),
        (["demo", "--database", "good.csv"], 2, "exists already"),
    ],
)
def test_errors_are_one_line_and_have_their_exit_code(
    arguments: list[str],
    code: int,
    expected: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROUNDSWELL_ACCESS", "keys")
    (tmp_path / "sheet.xlsx").write_bytes(b"PK\x03\x04 broken")
    (tmp_path / "bad.csv").write_text("text,platform\nhi,x\n")
    (tmp_path / "good.csv").write_text(
        "platform,comment_id,kol_id,text,created_at\nx,1,mira,hi,2026-03-01T00:00:00Z\n"
    )
    assert cli.run(arguments) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert expected in lines[0]


def test_a_mistake_names_the_help_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["silence", "add", "--until", "2h"]) == 2
    wanted = "error: Missing option '--reason'; see 'groundswell silence add --help'\n"
    assert capsys.readouterr().err == wanted
    assert cli.run(["fly"]) == 2
    assert capsys.readouterr().err == "error: No such command 'fly'; see 'groundswell --help'\n"


def test_help_lists_every_command_in_a_panel_with_a_summary(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    panels = ["Run the service", "Send and score", "Alerts", "KOLs", "Set up", "Models"]
    places = [shown.index(f"─ {panel}") for panel in panels]
    assert places == sorted(places)
    assert "─ Commands" not in shown
    for name, command in commands().items():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_a_bad_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GROUNDSWELL_PORT", "many")
    assert cli.run(["serve"]) == 2
    assert "port (GROUNDSWELL_PORT) cannot be 'many'" in capsys.readouterr().err


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(main: Coroutine[object, object, object]) -> None:
        main.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupt)
    assert cli.run(["kols"]) == 130


def test_a_model_that_fails_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ModelError("the artifact\nis damaged")

    monkeypatch.setattr(SentimentClassifier, "load", refuse)
    assert cli.run(["score", "hello"]) == 1
    assert capsys.readouterr().err == "error: the artifact is damaged\n"


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with hosting.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert cli.run(["serve", "--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_open_addresses_are_recognised(host: str, loopback: bool) -> None:
    assert hosting.is_loopback(host) is loopback


def test_serve_opens_a_service_without_keys_to_no_other_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def refuse(host: str, _port: int) -> None:
        asked.append(host)
        raise hosting.CannotListen("stop here")

    monkeypatch.setattr(hosting, "listen", refuse)
    assert cli.run(["serve", "--host", "0.0.0.0"]) == 1
    assert OPEN in capsys.readouterr().err
    assert asked == []
    cli.run(["serve"])
    monkeypatch.setenv("GROUNDSWELL_ACCESS", "keys")
    cli.run(["serve", "--host", "0.0.0.0"])
    assert asked == ["127.0.0.1", "0.0.0.0"]
    assert OPEN not in capsys.readouterr().err


def test_commands_of_other_rooms_are_mounted_and_missing_packages_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()
    app.command("own")(lambda: None)
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "extra", typer.Typer(name="extra"), raising=False)
    module.extra.command("bake")(lambda: typer.echo("baked"))  # type: ignore[attr-defined]
    good = EntryPoint("good", f"{__name__}:extra", plugins.GROUP)
    broken = EntryPoint("broken", "no_such_room.cli:app", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [good, broken])
    plugins.mount(app)
    app(["bake"], standalone_mode=False)
    assert capsys.readouterr().out == "baked\n"
    with pytest.raises(ModuleNotFoundError, match="no_such_room"):
        app(["broken"], standalone_mode=False)
    advice = terminal.missing_package(ModuleNotFoundError(name="torch.nn"))
    assert advice is not None
    assert 'pip install "groundswell[train]"' in advice
    assert terminal.missing_package(ModuleNotFoundError(name="serving.oops")) is None
