"""`groundswell sources`, on a running service that watches a folder."""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.cli import hosting, terminal
from serving.cli import main as cli
from serving.settings import Settings
from tests.serving.listening import listening

ROWS = "comment_id,platform,text,created_at\nc1,forum,awful,2026-03-01T10:00:00Z\n"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the service logs is not among what a command prints: they share a process here."""
    structlog.configure(logger_factory=structlog.testing.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    file = folder / "day.csv"
    file.write_text(ROWS)
    os.utime(file, (1e9, 1e9))
    return folder


@pytest.fixture
def url(tmp_path: Path, exports: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    fake = SentimentClassifier.from_backend(FakeBackend())
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=fake))
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'service.db'}",
        watched_folders=(exports,),
        source_key_file=tmp_path / "s.key",
        _env_file=None,
    )
    with listening(hosting.started(settings)) as found:
        monkeypatch.setenv("GROUNDSWELL_URL", found)
        yield found


Ran = tuple[int, str, str]


@pytest.fixture
def run(url: str, capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*arguments: str) -> Ran:
        code = cli.run(["sources", *arguments])
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return command


def test_a_source_is_added_listed_paused_resumed_tested_and_removed(
    run: Any, exports: Path
) -> None:
    added = ("add", "folder", "--kol-id", "lena-park", "--name", "Exports")
    code, out, err = run(*added, "--set", f"path={exports}", "--yes")
    assert code == 0, err
    assert "It will see" in out
    assert "It cannot see" in out
    assert "It costs" in out
    assert "awful" in out
    assert "The source Exports is added" in err
    code, out, _ = run("list", "--json")
    (source,) = json.loads(out)
    assert (source["name"], source["type"], source["kol_id"]) == ("Exports", "folder", "lena-park")
    assert source["settings"]["path"] == str(exports)
    assert run("test", "Exports")[0] == 0
    assert "paused" in run("pause", "Exports")[1]
    assert "paused" not in run("resume", source["source_id"])[1]
    assert "is removed" in run("remove", "Exports")[2]
    assert "no sources" in run("list")[1]


def test_types_are_listed(run: Any) -> None:
    code, out, _ = run("types")
    assert code == 0
    assert "folder" in out
    assert "youtube" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "foldr"), "no sources of the type 'foldr', only"),
        (("add", "folder"), "settings are missing: --set path=…"),
        (("add", "folder", "--set", "path"), "is not NAME=VALUE"),
        (("add", "folder", "--set", "pth=/x"), "no such setting; there are path,"),
        (("add", "folder", "--set", "day_first=maybe"), "must be yes or no"),
        (("add", "json_api", "--set", "requests_a_day=many"), "is no number"),
        (("add", "json_api", "--set", "paging=up"), "must be one of none, newest_first"),
        (("add", "folder", "--set", "path=/etc", "--yes"), "may not read /etc"),
        (("add", "instagram", "--set", "tokens="), "must not be empty"),
        (("pause", "nothing"), "there is no source 'nothing'; there are none"),
    ],
)
def test_what_is_wrong_is_said_with_the_fix(
    run: Any, arguments: tuple[str, ...], words: str
) -> None:
    code, _, err = run(*arguments)
    assert code != 0
    assert words in err


def test_nothing_is_added_without_yes(run: Any, exports: Path) -> None:
    code, out, err = run("add", "folder", "--kol-id", "lena-park", "--set", f"path={exports}")
    assert code != 0
    assert "It will see" in out
    assert "repeat the command with --yes" in err
    assert "no sources" in run("list")[1]


def test_a_person_is_asked_for_each_setting(
    run: Any, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "is_attended", lambda: True)
    answers = {"path": str(exports), "platform": "forum", "time_zone": "", "day_first": "no"}
    asked = []

    def answer(text: str, **options: Any) -> str:
        asked.append(text.strip())
        return answers[text.strip()]

    monkeypatch.setattr(typer, "prompt", answer)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: True)
    code, _, err = run("add", "folder", "--kol-id", "lena-park")
    assert code == 0, err
    assert asked == list(answers)
    (source,) = json.loads(run("list", "--json")[1])
    assert source["name"] == "Watched folder lena-park"
    assert source["settings"] == {"path": str(exports), "platform": "forum", "day_first": False}
