"""groundswell import: what it prints, what it writes, and how it ends."""

import json
from pathlib import Path

import pytest

from model.classifier import SentimentClassifier
from serving.cli.main import run
from serving.cli.terminal import ExitCode
from tests.serving.ingest.importers.imported import items, write_ndjson


@pytest.fixture(autouse=True)
def fake_model(classifier: SentimentClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SentimentClassifier, "load", lambda *_args, **_more: classifier)


@pytest.fixture
def database(tmp_path: Path, empty: Path) -> str:
    path = tmp_path / "import.db"
    path.write_bytes(empty.read_bytes())
    return f"sqlite:///{path}"


def imported(
    capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> tuple[int, dict[str, object]]:
    """The exit code and the JSON of an import."""
    code = run(["import", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_good_file_ends_with_0(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_ndjson(tmp_path / "c.ndjson", items(50)[::-1])
    code, result = imported(capsys, path, "--database-url", database)
    assert code == ExitCode.OK
    figures = ("accepted", "updated", "duplicates", "rejected", "used")
    assert [result[figure] for figure in figures] == [50, 0, 0, 0, 50]
    (kol,) = result["kols"]
    assert (kol["kol_id"], kol["comments"]) == ("lena", 50)
    assert (kol["first"], kol["last"]) == ("2026-11-20 10:00:00+00:00", "2026-11-20 10:49:00+00:00")
    assert kol["alerts"] == []
    assert "two days" in kol["missing"]
    assert not (tmp_path / "c.ndjson.rejected.csv").exists()
    code, again = imported(capsys, path, "--database-url", database)
    assert (code, again["accepted"], again["duplicates"], again["used"]) == (0, 0, 50, 0)


def test_a_file_read_in_part_ends_with_4_and_names_its_rows(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = items(2)
    path = write_ndjson(tmp_path / "c.ndjson", [good, bad | {"created_at": "01/02/2026 10:00"}])
    code = run(["import", str(path), "--database-url", database])
    assert code == ExitCode.PARTLY_READ
    out = capsys.readouterr().out
    assert "1 accepted, 0 updated, 0 duplicates, 1 rejected; 1 used" in out
    rejected = tmp_path / "c.ndjson.rejected.csv"
    assert str(rejected) in out
    row, field, reason, code_of_fault = rejected.read_text().splitlines()[1].split(",", 3)
    assert (row, field) == ("2", "created_at")
    assert code_of_fault.endswith("ambiguous_timestamp")
    assert "2 January or 1 February" in reason + code_of_fault
    write_ndjson(path, [good])
    assert run(["import", str(path), "--database-url", database]) == ExitCode.OK
    assert not rejected.exists()


@pytest.mark.parametrize("content", [None, "", "platform,comment_id\nx,1\n", "{broken\n"])
def test_a_file_of_which_nothing_is_read_ends_with_5(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    path = tmp_path / "c.csv"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    code, result = imported(capsys, path, "--database-url", database)
    assert code == ExitCode.NOTHING_READ
    assert result["files"][0]["failure"]


def test_an_unreadable_file_does_not_stop_the_others(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_ndjson(tmp_path / "c.ndjson", items(3))
    code, result = imported(capsys, tmp_path / "none.csv", path, "--database-url", database)
    assert (code, result["accepted"]) == (ExitCode.PARTLY_READ, 3)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--field", "text"], "is not FIELD=PATH"),
        (["--field", "words=x"], "has no field 'words'"),
        (["--preset", "nothing"], "there is no preset 'nothing'"),
        (["--time-zone", "Nowhere"], "is not a time zone"),
        (["--as-of", "soon"], "--as-of"),
        (["--url", "http://x", "--model", "m"], "cannot be combined"),
    ],
)
def test_wrong_options_end_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str], words: str
) -> None:
    path = write_ndjson(tmp_path / "c.ndjson", items(1))
    assert run(["import", str(path), *option]) == ExitCode.USAGE
    assert words in capsys.readouterr().err
