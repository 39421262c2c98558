"""The command line: documents, exit codes, one-line errors, and the commands on a real service."""

import asyncio
import contextlib
import inspect
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

import httpx
import pytest
import typer
import typer.main

from model.classifier import SentimentClassifier
from model.errors import GroundswellError, ModelError
from model.fake_backend import FakeBackend
from serving import cli
from serving.app import create_app
from serving.commands import hosting, plugins, terminal
from serving.ingest import client, columns
from serving.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
OPEN = "anyone who can reach 0.0.0.0 can read every comment and write new ones"
HATE = ["terrible, I hate this", "awful and disgusting, worst ever", "shame on you, liar"]
LOVE = ["I love this", "great video, thank you", "so good, amazing"]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings from outside, a wide terminal, the fake model, a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("GROUNDSWELL_URL", raising=False)
    fake = SentimentClassifier.from_backend(FakeBackend())
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=fake))
    monkeypatch.setattr(SentimentClassifier, "load", lambda *_, **__: fake)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """The address of a running service."""
    listener = hosting.listen("127.0.0.1", 0)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    servers: list[hosting.Server] = []

    async def serve() -> None:
        settings = Settings(database_url=f"sqlite:///{tmp_path / 'service.db'}", _env_file=None)
        async with hosting.started(settings) as app:
            servers.append(hosting.server(app))
            ready.set()
            await servers[0].serve(sockets=[listener])

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield hosting.url_of(listener)
    servers[0].should_exit = True
    thread.join(30)
    loop.close()
    listener.close()


@pytest.fixture
def storm(tmp_path: Path) -> Path:
    """A day and a half of kind comments, then an hour of hostile ones."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    times = [(start + timedelta(minutes=3 * n), LOVE) for n in range(720)]
    times += [(start + timedelta(hours=36, seconds=12 * n), HATE) for n in range(300)]
    path = tmp_path / "storm.ndjson"
    with path.open("w") as lines:
        for n, (time, texts) in enumerate(sorted(times, key=lambda pair: pair[0])):
            item = {"platform": "x", "comment_id": str(n), "kol_id": "mira", "author_id": f"a{n}"}
            item |= {"text": f"{texts[n % 3]} {n % 7}", "created_at": time.isoformat()}
            lines.write(json.dumps(item) + "\n")
    return path


def commands() -> dict[str, typer.main.TyperCommand]:
    found = {}
    for name, command in typer.main.get_command(cli.app).commands.items():
        for sub, inner in getattr(command, "commands", {"": command}).items():
            found[f"{name} {sub}".strip()] = inner
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_and_option_is_documented(name: str) -> None:
    text = (DOCS / "cli.md").read_text()
    _, found, section = text.partition(f"## groundswell {name}")
    assert found
    section = section.partition("\n## ")[0]
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
    for module in (client, columns, hosting):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, GroundswellError) and kind.__module__ == module.__name__:
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
        "import sys; from serving.cli import run; assert run(['--help']) == 0;"
        f"print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for name in ("serve", "demo", "replay", "score", "kols", "alerts", "db"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["fly"], 2, "No such command 'fly'"),
        (["replay"], 2, "Missing argument 'file'"),
        (["replay", "none.csv"], 2, "there is no file none.csv"),
        (["replay", "bad.csv", "--spede", "1"], 2, "--speed"),
        (["replay", "bad.csv", "--speed", "-1"], 2, "neither a number above 0 nor 'max'"),
        (["replay", "bad.csv", "--column", "when=t"], 2, "no field 'when'"),
        (["replay", "bad.csv", "--timezone", "Mars"], 2, "no time zone 'Mars'"),
        (["replay", "bad.csv"], 2, "no column for comment_id, kol_id, created_at"),
        (["replay", "good.csv", "--url", "http://127.0.0.1:9"], 3, "no service answers"),
        (["replay", "good.csv", "--database-url", "oracle://x"], 1, "database_url"),
        (["kols", "--url", "http://127.0.0.1:9"], 3, "no service answers"),
        (["alerts", "--url", "nowhere"], 3, "is no address"),
        (["alerts", "--since", "soon"], 2, "not a time"),
        (["alerts", "x", "--follow"], 2, "--follow goes with"),
        (["score", "none.csv"], 2, "there is no file"),
        (["score", "good.csv", "--text-column", "body"], 2, "no column 'body'"),
        (["serve", "--port", "70000"], 2, "'--port'"),
        (["serve", "--host", "192.0.2.1", "--port", "0"], 1, "192.0.2.1"),
        (["serve", "--log-format", "xml"], 2, "log_format"),
        (["demo", "--database", "good.csv"], 2, "exists already"),
    ],
)
def test_errors_are_one_line_and_have_their_exit_code(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "bad.csv").write_text("text,platform\nhi,x\n")
    (tmp_path / "good.csv").write_text(
        "platform,comment_id,kol_id,text,created_at\nx,1,mira,hi,2026-03-01T00:00:00Z\n"
    )
    assert cli.run(arguments) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if "warning: anyone" not in line]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert said in lines[0]


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
def test_open_addresses_are_known(host: str, loopback: bool) -> None:
    assert hosting.is_loopback(host) is loopback


def test_an_open_address_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise hosting.CannotListen("stop here")

    monkeypatch.setattr(hosting, "listen", refuse)
    cli.run(["serve", "--host", "0.0.0.0"])
    assert OPEN in capsys.readouterr().err
    cli.run(["serve"])
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


def test_replay_into_a_service_then_look(
    service: str, storm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["replay", str(storm), "--url", service]) == 0
    out = capsys.readouterr().out
    assert "storm.ndjson: 1,020 accepted, 0 duplicates" in out
    assert "mira" in out
    assert cli.run(["alerts", "--url", service, "--json"]) == 0
    alerts = json.loads(capsys.readouterr().out)
    assert [alert["kol_id"] for alert in alerts] == ["mira"]
    assert cli.run(["alerts", alerts[0]["alert_id"], "--url", service]) == 0
    shown = capsys.readouterr().out
    assert "opened" in shown
    assert "negative" in shown
    assert cli.run(["alerts", "--kol-id", "nobody", "--url", service]) == 0
    assert "no alerts" in capsys.readouterr().out
    assert cli.run(["alerts", "nothing", "--url", service]) == 1
    assert "404" in capsys.readouterr().err
    assert cli.run(["kols", "--url", service]) == 0
    assert "mira" in capsys.readouterr().out
    assert cli.run(["replay", str(storm), "--url", service, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["accepted"], again["duplicates"]) == (0, 1020)
    assert [a["alert_id"] for a in again["alerts"]] == [alerts[0]["alert_id"]]


def test_replay_in_process_gives_the_same_alerts_twice(
    storm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for name in ("a.db", "b.db"):
        url = f"sqlite:///{tmp_path / name}"
        assert cli.run(["replay", str(storm), "--database-url", url, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["alerts"])
    assert len(found[0]) == 1
    assert [a["alert_id"] for a in found[0]] == [a["alert_id"] for a in found[1]]
    assert [a["opened_at"] for a in found[0]] == [a["opened_at"] for a in found[1]]


def test_replay_of_nothing_good_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.csv").write_text(
        "platform,comment_id,kol_id,text,created_at,mood\nx,1,mira,hi,2126-03-01T00:00:00Z,9\n"
    )
    assert cli.run(["replay", "c.csv", "--database-url", f"sqlite:///{tmp_path / 'c.db'}"]) == 2
    captured = capsys.readouterr()
    assert "0 accepted, 0 duplicates, 1 rejected" in captured.out
    assert "line 2: created_at lies more than 5 minutes in the future" in captured.out
    assert "ignored columns: mood" in captured.err


def test_score_texts_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["score", "I love this", "I hate this", ""]) == 0
    table = capsys.readouterr().out
    assert "positive" in table
    assert "nothing to read" in table
    (tmp_path / "t.csv").write_text("id,body\n1,I love it\n2,awful\n")
    assert cli.run(["score", "t.csv", "--text-column", "body", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["text"] for row in rows] == ["I love it", "awful"]
    assert rows[0]["positive"] > rows[1]["positive"]
    (tmp_path / "t.txt").write_text("I love it\n" * 30)
    assert cli.run(["score", "t.txt"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("I love it") == 20
    assert "30 texts: 30 positive" in captured.err


def test_database_upgrade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new.db"
    assert cli.run(["db", "upgrade", "--database-url", f"sqlite:///{path}"]) == 0
    assert path.exists()
    assert "is up to date" in capsys.readouterr().err


def test_database_rebuild_keeps_the_comments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "old.db"
    url = f"sqlite:///{path}"
    assert cli.run(["db", "upgrade", "--database-url", url]) == 0
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO progress VALUES ('pipeline', 1, 0, 1)")
        database.execute("INSERT INTO scores VALUES (1, 0.1, 0.2, 0.7, NULL, 'old')")
        database.execute(
            "INSERT INTO comments (seq, platform, comment_id, kol_id, text, created_at,"
            " received_at) VALUES (1, 'x', 'c', 'lena', 'hi', 0, 0)"
        )
    assert cli.run(["db", "rebuild", "--database-url", url]) == 0
    with closing(sqlite3.connect(path)) as database:
        left = [
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("comments", "scores", "progress")
        ]
    assert left == [1, 0, 0]
    assert "keeps its comments" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_cleanly_when_told_to(tmp_path: Path, ending: signal.Signals) -> None:
    code = (
        "import sys; from functools import partial;"
        "from model.classifier import SentimentClassifier;"
        "from model.fake_backend import FakeBackend;"
        "from serving import cli; from serving.app import create_app;"
        "from serving.commands import hosting;"
        "fake = SentimentClassifier.from_backend(FakeBackend());"
        "hosting.create_app = partial(create_app, classifier=fake);"
        "sys.exit(cli.run(['serve', '--port', '0', '--log-format', 'json']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "listens on" in line)
        url = line.split("listens on ")[1].partition(",")[0]
        assert httpx.get(f"{url}/readyz", timeout=30).json()["status"] == "ready"
        process.send_signal(ending)
        rest = process.stderr.read()
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_alerts_are_followed_as_they_arise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alert = {"alert_id": "a1", "kol_id": "mira"}
    body = f"event: mood\ndata: {{}}\n\nevent: alert\ndata: {json.dumps(alert)}\n\n"
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=body)

    @contextlib.asynccontextmanager
    async def connect(url: str) -> AsyncIterator[client.ServiceClient]:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url=url) as http:
            yield client.ServiceClient(http)

    monkeypatch.setattr(client, "connect", connect)
    assert cli.run(["alerts", "--follow", "--kol-id", "mira", "--json"]) == 3
    captured = capsys.readouterr()
    assert json.loads(captured.out) == alert
    assert "the service closed the stream" in captured.err
    assert seen[0].url.path == "/v1/stream"
    assert seen[0].url.params["kol_id"] == "mira"
