"""A file for a replay: its rows in order, each with its time; bad rows are named by number."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from serving.cli.files.readers import CommentFile, FileRow
from serving.errors import InputError
from serving.ingest.comment import parse_comment
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.values.rules import TimeRules
from serving.ingest.values.times import parse_zone

SHARED = Path(__file__).parents[4].parent / "shared"
HEADER = "platform,comment_id,kol_id,text,created_at"
GOOD = "tiktok,1,mira,I love this,2026-03-01T12:00:00Z"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def write(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def read(path: Path, options: ImportOptions | None = None) -> list[FileRow]:
    with CommentFile(path, options or ImportOptions()) as file:
        return list(file.rows())


def items(rows: list[FileRow]) -> list[dict[str, object]]:
    return [row.item for row in rows if row.item is not None]


def write_frame(path: Path) -> Path:
    """A file as pandas writes it: whole numbers with gaps are floats."""
    data = pd.DataFrame(
        {
            "platform": ["tiktok"] * 3,
            "comment_id": [1, 2, 3],
            "kol_id": "mira",
            "text": ["a", "b", "c"],
            "created_at": pd.date_range("2026-03-01", periods=3, freq="h", tz="UTC"),
            "likes": [1.0, None, 3.0],
        }
    )
    if path.suffix == ".parquet":
        data.to_parquet(path)
    elif ".csv" in path.suffixes:
        data.to_csv(path, index=False)
    else:
        data.to_json(path, orient="records", lines=True, date_format="iso")
    return path


@pytest.mark.parametrize(
    "name", ["c.parquet", "c.csv", "c.csv.gz", "c.ndjson", "c.jsonl", "c.jsonl.gz"]
)
def test_files_of_pandas_give_the_same_comments(tmp_path: Path, name: str) -> None:
    path = write_frame(tmp_path / name)
    rows = read(path)
    comments = [parse_comment(item, now=NOW) for item in items(rows)]
    assert [c.comment_id for c in comments] == ["1", "2", "3"]
    assert [c.likes for c in comments] == [1, None, 3]
    assert comments[2].created_at == datetime(2026, 3, 1, 2, tzinfo=UTC)
    first = 2 if ".csv" in name else 1
    assert [row.number for row in rows] == [first, first + 1, first + 2]
    with CommentFile(path) as file:
        for _ in file.rows():
            assert 0 < file.fraction() <= 1
        assert file.fraction() == 1


def test_mapped_columns_constants_and_zone(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "id,Message,time,extra\n7,xin chào,2026-03-01 19:30:00,?\n")
    options = ImportOptions(
        {"platform": "facebook", "kol_id": "ha"},
        {"comment_id": "id", "text": "message", "created_at": "time"},
        TimeRules(zone=parse_zone("Asia/Ho_Chi_Minh")),
    )
    (row,) = read(path, options)
    assert row.item is not None
    comment = parse_comment(row.item, now=NOW)
    assert comment.created_at == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert (comment.platform, comment.kol_id, comment.text) == ("facebook", "ha", "xin chào")


def test_bad_rows_are_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "c.csv",
        f"{HEADER}\n{GOOD}\ntiktok,2,mira,too,many,cells,here\ntiktok,3,mira,x,yesterday\n"
        f"tiktok,4,mira,x,2026-03-01 12:00\n{GOOD}\n",
    )
    rows = read(path)
    assert len(items(rows)) == 2
    faults = {row.number: row.fault for row in rows if row.fault}
    assert "7 cells, the header has 5" in str(faults[3])
    assert "created_at 'yesterday' is relative" in str(faults[4])
    assert "created_at has no time zone" in str(faults[5])


def test_a_row_without_a_time_is_for_the_service_to_refuse(tmp_path: Path) -> None:
    (row,) = read(write(tmp_path / "c.csv", f"{HEADER}\ntiktok,1,mira,x,\n"))
    assert row.item is not None
    assert "created_at" not in row.item


def test_an_unusable_file_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"c\.csv: there is no column for kol_id, created_at"):
        read(write(tmp_path / "c.csv", "platform,id,text\nx,1,y\n"))
    with pytest.raises(InputError, match=r"there is no file none\.csv"):
        read(tmp_path / "none.csv")


def test_comments_without_ids_get_those_of_an_import(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "text,created_at,author_id\nhi,2026-03-01T12:00:00Z,a\n")
    options = ImportOptions({"platform": "x", "kol_id": "mira"})
    (first,), (second,) = read(path, options), read(path, options)
    assert first.item is not None
    assert first == second
    assert str(first.item["comment_id"]).startswith("derived-")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data lies beside the repository")
def test_the_airline_stream_needs_no_options() -> None:
    with CommentFile(SHARED / "streams" / "airline_feb2015.parquet") as file:
        comments = [parse_comment(row.item, now=NOW) for row in file.rows()]
    assert len(comments) == 14_640
    assert len({(c.platform, c.comment_id) for c in comments}) == 14_640
