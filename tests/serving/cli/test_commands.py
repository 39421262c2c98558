"""The commands at work: on a running service, and with the service inside the command."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from groundswell_client import AsyncClient
from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.cli import connection as cli_connection
from serving.cli import hosting
from serving.cli import main as cli
from serving.settings import Settings
from tests.serving.listening import listening

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
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'service.db'}", _env_file=None)
    with listening(hosting.started(settings)) as url:
        yield url


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
    assert cli.run(["explain", alerts[0]["alert_id"], "--url", service]) == 0
    shown = capsys.readouterr().out
    assert "on @mira" in shown
    assert "Recompute it  (share_shift, when it opened)" in shown
    assert cli.run(["explain", alerts[0]["alert_id"], "--url", service, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trace"]["points"]
    assert cli.run(["explain", "nothing", "--url", service]) == 1
    assert "there is no alert 'nothing'; GET /v1/alerts lists them" in capsys.readouterr().err
    assert cli.run(["kols", "--url", service]) == 0
    assert "mira" in capsys.readouterr().out
    assert cli.run(["replay", str(storm), "--url", service, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["accepted"], again["duplicates"]) == (0, 1020)
    assert [a["alert_id"] for a in again["alerts"]] == [alerts[0]["alert_id"]]
    assert cli.run(["kols", "set", "mira", "--sensitivity", "0.5", "--url", service]) == 0
    assert "0.5" in capsys.readouterr().out
    arguments = ["kols", "set", "mira", "--reset", "--critical-share", "0.3", "--as", "An"]
    assert cli.run([*arguments, "--url", service]) == 0
    policy = httpx.get(f"{service}/v1/kols/mira/policy").json()
    assert (list(policy["overridden"]), policy["changes"][0]["actor"]) == (["critical_share"], "An")
    assert cli.run(["kols", "show", "mira", "--url", service]) == 0
    assert "An" in capsys.readouterr().out


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
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO progress (name, seq, mark, step) VALUES ('pipeline', 1, 0, 1)"
        )
        database.execute("INSERT INTO scores VALUES (1, 0.1, 0.2, 0.7, NULL, 'old')")
        database.execute(
            "INSERT INTO comments (seq, platform, comment_id, kol_id, text, created_at,"
            " received_at) VALUES (1, 'x', 'c', 'lena', 'hi', 0, 0)"
        )
    assert cli.run(["db", "rebuild", "--database-url", url]) == 0
    with contextlib.closing(sqlite3.connect(path)) as database:
        left = [
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("comments", "scores")
        ]
        progress = database.execute("SELECT name, seq, mark, step FROM progress").fetchall()
    assert left == [1, 0]
    assert progress == [("rebuilt", 1, 0, 0), ("pipeline", 0, 0, 0)]  # nobody is notified again
    assert "keeps its comments" in capsys.readouterr().err


def test_an_interrupted_replay_says_how_far_it_got(
    service: str, storm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def press_when_the_first_is_there() -> None:
        deadline = time.monotonic() + 30  # then the replay ends all the same, and the test fails
        while time.monotonic() < deadline:
            if httpx.get(f"{service}/v1/status").json()["log"]["last_seq"] > 0:
                break
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press_when_the_first_is_there)
    presser.start()
    code = cli.run(["replay", str(storm), "--speed", "1", "--url", service])
    presser.join()
    assert code == 130
    assert "interrupted; 1 comments had been sent" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_cleanly_at_a_signal(tmp_path: Path, ending: signal.Signals) -> None:
    code = (
        "import sys; from functools import partial;"
        "from model.classifier import SentimentClassifier;"
        "from model.fake_backend import FakeBackend;"
        "from serving.cli import main as cli; from serving.app import create_app;"
        "from serving.cli import hosting;"
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


def test_alerts_are_followed_as_they_are_raised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alert = {"alert_id": "a1", "kol_id": "mira"}
    body = f"event: mood\ndata: {{}}\n\nevent: alert\ndata: {json.dumps(alert)}\n\n"
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) > 2:
            return httpx.Response(401, json={"detail": "the key is revoked"})
        return httpx.Response(
            200, text=body if len(seen) == 1 else ":", headers={"Content-Type": "text/event-stream"}
        )

    def client(url: str, *, retries: int, **_: object) -> AsyncClient:
        assert retries > 0
        return AsyncClient(url, retries=retries, transport=httpx.MockTransport(answer))

    monkeypatch.setattr(cli_connection, "AsyncClient", client)
    assert cli.run(["alerts", "--follow", "--kol-id", "mira", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == alert
    assert captured.err.count("Following the alerts") == captured.err.count("Connected again") == 1
    assert "the key is revoked" in captured.err
    assert seen[0].url.path == "/v1/stream"
    assert seen[0].url.params["kol_id"] == "mira"
