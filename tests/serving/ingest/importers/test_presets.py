"""Exports of known tools: recognised by their keys, and read without a word of the user."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from serving.errors import InputError
from serving.ingest.importers.preset import catalogue
from tests.serving.ingest.importers.imported import imported, write_ndjson

# preset → name of a file, its content, options, and the comments that it holds.
EXPORTS: dict[str, tuple[str, Any, dict[str, Any], list[dict[str, Any]]]] = {
    name: (one["file"], one["content"], one["options"], one["comments"])
    for name, one in json.loads(Path(__file__).with_name("exports.json").read_text()).items()
}


def written(path: Path, content: Any) -> Path:
    """A file as the tool writes it, by the ending of its name."""
    if path.suffix == ".json":
        path.write_text(json.dumps(content, ensure_ascii=False))
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(content[0]))
            table.writeheader()
            table.writerows(content)
    else:
        write_ndjson(path, content)
    return path


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_recognised_and_read(tmp_path: Path, name: str) -> None:
    file, content, options, expected = EXPORTS[name]
    found = imported(written(tmp_path / file, content), kol="lena", **options)
    assert found.rejected == []
    assert found.count.files[0].preset == name
    assert found.items == [comment | {"kol_id": "lena"} for comment in expected]


@pytest.mark.parametrize("name", EXPORTS)
def test_a_preset_can_be_named(tmp_path: Path, name: str) -> None:
    file, content, options, expected = EXPORTS[name]
    found = imported(written(tmp_path / file, content), kol="lena", preset=name, **options)
    assert len(found.items) == len(expected)


def test_every_preset_is_tried() -> None:
    assert set(EXPORTS) == set(catalogue().presets)


def test_presets_do_not_take_each_others_files() -> None:
    """The keys of each export lead to its own preset, whatever else is in the row."""
    for name, (_, content, _, _) in EXPORTS.items():
        rows = (
            content
            if isinstance(content, list)
            else next(value for key, value in content.items() if key in {"comments", "messages"})
        )
        keys = set(rows[-1].get("data", [rows[-1]])[0])
        found = catalogue().recognise(keys)
        assert found is not None, name
        assert found.name == name


def test_notices_of_telegram_are_left_out(tmp_path: Path) -> None:
    file, content, _, _ = EXPORTS["telegram-desktop"]
    found = imported(written(tmp_path / file, content), kol="lena")
    assert found.count.files[0].left_out == 1


def test_our_own_columns_need_no_preset(tmp_path: Path) -> None:
    row = {
        "platform": "x", "comment_id": "1", "kol_id": "lena", "text": "hi", "id": "9",
        "created_at": "2026-11-25T20:19:24Z", "author_id": "a", "public_metrics": {"like_count": 3},
    }  # fmt: skip
    found = imported(write_ndjson(tmp_path / "c.ndjson", [row]))
    assert (found.count.files[0].preset, found.items[0]["comment_id"]) == (None, "1")


def test_fields_that_are_given_go_before_those_of_a_preset(tmp_path: Path) -> None:
    file, content, _, _ = EXPORTS["reddit"]
    found = imported(
        written(tmp_path / file, content), kol="lena", fields={"author_id": "subreddit"}
    )
    assert {item["author_id"] for item in found.items} == {"skincare"}


def test_paths_lead_into_nested_objects(tmp_path: Path) -> None:
    rows = [
        {
            "snippet": {"textOriginal": "paid review", "publishedAt": "2026-11-25T20:19:24Z"},
            "key": {"of it": "k1"},
        }
    ]
    found = imported(
        write_ndjson(tmp_path / "c.ndjson", rows),
        kol="lena",
        platform="youtube",
        fields={
            "text": "snippet.textOriginal",
            "created_at": "snippet.publishedAt",
            "comment_id": 'key."of it"',
        },
    )
    assert found.items[0]["text"] == "paid review"
    assert found.items[0]["comment_id"] == "k1"


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(InputError, match="there is no preset 'x'; there are apify-facebook"):
        catalogue().named("x")


def test_every_preset_is_documented_with_a_command() -> None:
    page = (Path(__file__).parents[4] / "docs" / "importing.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    named = {line.split("`")[1]: line for line in rows if "`groundswell import " in line}
    assert set(named) == set(catalogue().presets)
