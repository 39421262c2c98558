"""Files of comments: what is read, and what is said of a damaged or strange file."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from serving.cli.files.columns import ColumnMap, parse_assignments, parse_zone
from serving.cli.files.readers import CommentFile, FileRow
from serving.errors import InputError
from serving.ingest.comment import parse_comment

SHARED = Path(__file__).parents[4].parent / "shared"
HEADER = "platform,comment_id,kol_id,text,created_at"
GOOD = "tiktok,1,mira,I love this,2026-03-01T12:00:00Z"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, mapping: ColumnMap | None = None, **options: str) -> list[FileRow]:
    with CommentFile(path, mapping, **options) as file:
        return list(file.rows())


def items(rows: list[FileRow]) -> list[dict[str, object]]:
    return [row.item for row in rows if row.item is not None]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "platform": ["tiktok"] * 3,
            "comment_id": [1, 2, 3],
            "kol_id": "mira",
            "text": ["a", "b", "c"],
            "created_at": pd.date_range("2026-03-01", periods=3, freq="h", tz="UTC"),
            "likes": [1.0, None, 3.0],
        }
    )


def write_frame(path: Path) -> Path:
    data = frame()
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
def test_every_format_gives_the_same_comments(tmp_path: Path, name: str) -> None:
    rows = read(write_frame(tmp_path / name))
    comments = [parse_comment(item, now=NOW) for item in items(rows)]
    assert [c.comment_id for c in comments] == ["1", "2", "3"]
    assert [c.likes for c in comments] == [1, None, 3]
    assert comments[2].created_at == datetime(2026, 3, 1, 2, tzinfo=UTC)
    first = {".parquet": 1, ".csv": 2}.get(Path(name.removesuffix(".gz")).suffix, 1)
    assert [row.number for row in rows] == [first, first + 1, first + 2]


def test_fraction_reaches_one(tmp_path: Path) -> None:
    for name in ("c.parquet", "c.csv", "c.ndjson.gz"):
        with CommentFile(write_frame(tmp_path / name)) as file:
            for _ in file.rows():
                assert 0 < file.fraction() <= 1
            assert file.fraction() == 1


def test_quoted_line_breaks_delimiters_and_byte_order_mark(tmp_path: Path) -> None:
    text = f"\ufeff{HEADER.replace(',', ';')}\n"
    text += 'tiktok;1;mira;"two\nlines; one cell";2026-03-01T12:00:00Z\n'
    text += "tiktok;2;mira;next;2026-03-01T12:00:00Z\n"
    rows = read(write(tmp_path / "c.csv", text))
    assert [row.number for row in rows] == [2, 4]
    assert [item["text"] for item in items(rows)] == ["two\nlines; one cell", "next"]


def test_mapped_columns_constants_and_zone(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "id,Message,time,extra\n7,xin chào,2026-03-01 19:30:00,?\n")
    mapping = ColumnMap(
        parse_assignments(["comment_id=id", "text=message", "created_at = time"]),
        {"platform": "facebook", "kol_id": "ha"},
        parse_zone("Asia/Ho_Chi_Minh"),
    )
    with CommentFile(path, mapping) as file:
        assert file.binding.ignored == ("extra",)
        (row,) = file.rows()
    assert row.item is not None
    comment = parse_comment(row.item, now=NOW)
    assert comment.created_at == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert (comment.platform, comment.kol_id, comment.text) == ("facebook", "ha", "xin chào")


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-03-01T12:30:00Z", 12),
        ("2026-03-01 12:30:00 +0100", 11),
        ("2026-03-01 12:30:00 UTC", 12),
        ("2026-03-01 12:30:00-08:00", 20),
        ("1772368200", 12),
        ("1772368200000", 12),
    ],
)
def test_times_as_exports_write_them(tmp_path: Path, written: str, hour: int) -> None:
    path = write(tmp_path / "c.csv", f"{HEADER}\ntiktok,1,mira,hi,{written}\n")
    (item,) = items(read(path))
    assert datetime.fromisoformat(str(item["created_at"])).astimezone(UTC).hour == hour


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
    assert "'yesterday' is not a time" in str(faults[4])
    assert "has no time zone" in str(faults[5])


def test_bad_ndjson_lines_are_named(tmp_path: Path) -> None:
    good = json.dumps(dict(zip(HEADER.split(","), GOOD.split(","), strict=True)))
    deep = "[" * 100_000
    lines = [
        good.encode(),
        b"{oops",
        b"[1]",
        b'{"text": "\xff"}',
        b"",
        deep.encode(),
        good.encode(),
    ]
    rows = read(write(tmp_path / "c.ndjson", b"\n".join(lines)))
    assert [row.number for row in rows if row.item] == [1, 7]
    faults = {row.number: str(row.fault) for row in rows if row.fault}
    assert faults[2].startswith("is not JSON")
    assert faults[3] == "is not a JSON object"
    assert faults[4] == "is not UTF-8"
    assert faults[6].startswith("is not JSON")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("c.csv", "", "c.csv is empty"),
        ("c.csv", "\n\n", "no header"),
        ("c.txt", "x", "not of a known kind"),
        ("c.csv", f"{HEADER}\ntiktok,1,mira,caf\xe9,2026-03-01".encode("latin-1"), "--encoding"),
        ("c.csv", f"{HEADER}\n{GOOD}".encode("utf-16"), "line 1 is not utf-8 (byte 0xff)"),
        (
            "c.csv",
            "platform,id,kol_id,message,when\n",
            "no column for comment_id, text, created_at",
        ),
        ("c.csv", "platform,id,kol_id,message,when\n", "--column comment_id=id"),
        ("c.csv", f"{HEADER}\ntiktok,1,mira,x,2026-03-01 12:00:00\n", "--timezone UTC"),
        ("c.ndjson", "not json\n", "no JSON object in its first lines: line 1 is not JSON"),
        ("c.ndjson", "\n\n", "every line is blank"),
        ("c.ndjson", '{"text": "x"}\n', "no column for platform"),
        ("c.parquet", "PAR1 and no more", "not a complete parquet file"),
        ("c.csv.gz", "not gzip", "gzip data breaks off"),
        ("c.ndjson", b"x" * (1 << 22), "does not end within 4 MiB"),
    ],
)
def test_unusable_files_say_why(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(write(tmp_path / name, content))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)


def test_truncated_parquet_and_gzip(tmp_path: Path) -> None:
    whole = write_frame(tmp_path / "c.parquet").read_bytes()
    with pytest.raises(InputError, match="not a complete parquet file"):
        read(write(tmp_path / "half.parquet", whole[: len(whole) // 2]))
    damaged = whole[:20] + b"\x00" * 60 + whole[80:]
    with pytest.raises(InputError, match="damaged after row 0"):
        read(write(tmp_path / "damaged.parquet", damaged))
    zipped = gzip.compress(f"{HEADER}\n{GOOD}\n{GOOD}\n".encode())
    with pytest.raises(InputError, match="gzip data breaks off after line"):
        read(write(tmp_path / "c.csv.gz", zipped[:-9]))


def test_parquet_without_rows(tmp_path: Path) -> None:
    frame().head(0).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(InputError, match="has no rows"):
        read(tmp_path / "c.parquet")


def test_naive_parquet_times_need_a_zone(tmp_path: Path) -> None:
    data = frame()
    data["created_at"] = data["created_at"].dt.tz_localize(None)
    data.to_parquet(tmp_path / "c.parquet")
    with pytest.raises(InputError, match=r"row 1: created_at .* has no time zone; .*--timezone"):
        read(tmp_path / "c.parquet")
    assert len(items(read(tmp_path / "c.parquet", ColumnMap(zone=UTC)))) == 3


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("created_at", "is not FIELD=COLUMN"),
        ("created=time", "no field 'created' (did you mean 'created_at'?)"),
    ],
)
def test_bad_assignments(pair: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_assignments([pair])
    assert said in str(caught.value)


def test_unknown_named_column_lists_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", f"{HEADER},tme\n")
    with pytest.raises(InputError) as caught:
        read(path, ColumnMap({"created_at": "time"}))
    assert "did you mean 'tme'?" in str(caught.value)
    assert "platform, comment_id, kol_id, text, created_at, tme" in str(caught.value)


def test_unknown_zone_and_encoding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'Mars/Olympus' is not a time zone"):
        parse_zone("Mars/Olympus")
    path = write(tmp_path / "c.csv", f"{HEADER}\n{GOOD}\n")
    with pytest.raises(InputError, match="there is no encoding 'klingon'"):
        read(path, encoding="klingon")
    with pytest.raises(InputError, match="utf-16 is not read here"):
        read(path, encoding="utf-16")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data lies beside the repository")
def test_the_airline_stream_needs_no_options() -> None:
    with CommentFile(SHARED / "streams" / "airline_feb2015.parquet") as file:
        assert file.binding.ignored == ("label", "reason")
        comments = [parse_comment(row.item, now=NOW) for row in file.rows()]
    assert len(comments) == 14_640
    assert len({(c.platform, c.comment_id) for c in comments}) == 14_640
