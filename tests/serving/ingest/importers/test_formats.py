"""One contract for every format, and files that are damaged, compressed or not files at all."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.errors import InputError
from serving.ingest.importers.byte_source import ByteSource
from serving.ingest.importers.raw_row import ReaderOptions
from serving.ingest.importers.registry import format_of, formats
from tests.serving.ingest.importers.imported import imported, items, write_ndjson

Writer = Callable[[list[dict[str, Any]]], bytes]


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    head = list(rows[0])
    cells = [[f'"{row[name]}"' for name in head] for row in rows]
    return "\n".join([",".join(head), *map(",".join, cells), ""]).encode()


def as_ndjson(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_json(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps({"page": {"size": 3}, "found": rows}).encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=2)
    return file.getvalue()


def as_xlsx(rows: list[dict[str, Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Comments of a week"])
    sheet.append([])
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    book.create_sheet("Notes").append(["exported by", "a person"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


WRITERS: dict[str, tuple[str, Writer]] = {
    "delimited": ("c.csv", as_csv),
    "json": ("c.json", as_json),
    "ndjson": ("c.ndjson", as_ndjson),
    "parquet": ("c.parquet", as_parquet),
    "spreadsheet": ("c.xlsx", as_xlsx),
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
each_format = pytest.mark.parametrize("name", WRITERS)


def written(folder: Path, name: str, count: int = 5) -> Path:
    file, writer = WRITERS[name]
    path = folder / file
    path.write_bytes(writer(items(count)))
    return path


def test_every_format_is_tried() -> None:
    assert set(WRITERS) == set(formats())


@each_format
def test_a_format_is_recognised_by_its_content(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name)
    assert format_of(ByteSource(path, "upload")).name == name
    assert format_of(ByteSource(path, path.name)).name == name


@each_format
def test_every_row_is_read_with_its_number(tmp_path: Path, name: str) -> None:
    source = ByteSource(written(tmp_path, name), WRITERS[name][0])
    reader = format_of(source).open(source, ReaderOptions(names=frozenset(items(1)[0])))
    rows = list(reader.rows())
    assert reader.fraction() == 1.0
    reader.close()
    assert [row.fault for row in rows] == [None] * 5
    first = {"delimited": 2, "spreadsheet": 4}.get(name, 1)
    assert [row.number for row in rows] == list(range(first, first + 5))
    assert reader.unit in {"line", "row"}


@each_format
def test_every_format_gives_the_same_comments(tmp_path: Path, name: str) -> None:
    found = imported(written(tmp_path, name))
    assert found.rejected == []
    assert found.items == items(5)


@each_format
@pytest.mark.parametrize("ending", PACKERS)
def test_compressed_files_are_opened(tmp_path: Path, name: str, ending: str) -> None:
    path = written(tmp_path, name)
    packed = tmp_path / f"{path.name}{ending}"
    packed.write_bytes(PACKERS[ending](path.read_bytes()))
    assert imported(packed).items == items(5)


@each_format
def test_the_only_file_of_an_archive_is_opened(tmp_path: Path, name: str) -> None:
    path, packed = written(tmp_path, name), tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, f"export/{path.name}")
        archive.writestr("__MACOSX/export/._c", b"x")
    assert imported(packed).items == items(5)


@each_format
def test_a_file_cut_in_the_middle_keeps_what_is_there_and_says_so(
    tmp_path: Path, name: str
) -> None:
    file, writer = WRITERS[name]
    path = tmp_path / file
    whole = writer(items(300))
    path.write_bytes(whole[: len(whole) * 2 // 3])
    found = imported(path)
    if name in {"parquet", "spreadsheet"}:  # their table of contents is at the end
        assert found.items == []
        assert found.failure
    else:
        assert 150 < len(found.items) < 250
        assert set(found.by_id) == {f"c{n}" for n in range(len(found.items))}
        assert found.rejected


@pytest.mark.parametrize("ending", PACKERS)
def test_compressed_data_that_breaks_off_is_said(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"c.ndjson{ending}"
    rows = [
        row | {"text": f"{n * 7919 % 100_003} {row['text']}"} for n, row in enumerate(items(9000))
    ]
    whole = PACKERS[ending](as_ndjson(rows))
    path.write_bytes(whole[: len(whole) * 9 // 10])
    found = imported(path)
    assert found.count.files[0].rejected or found.failure
    said = found.failure or found.rejected[-1]["reason"]
    assert "breaks off" in said or "cannot be read" in said


def test_a_bomb_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.ingest.importers.byte_source._FREE_BYTES", 2**20)
    path = tmp_path / "c.ndjson.gz"
    path.write_bytes(gzip.compress(as_ndjson(items(1)) + b"\n" * 20_000_000))
    found = imported(path)
    assert len(found.items) == 1
    assert "unpacks to more than" in found.rejected[0]["reason"]
    archive = tmp_path / "c.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("c.parquet", b"PAR1" + b"\0" * 20_000_000)
    assert "unpacks to more than" in imported(archive).failure


@pytest.mark.parametrize(
    ("names", "words"), [([], "0 files"), (["a.csv", "b.csv"], "2 files (a.csv, b.csv)")]
)
def test_an_archive_of_several_files_is_refused(
    tmp_path: Path, names: list[str], words: str
) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"a,b\n1,2\n")
    assert words in imported(path).failure


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file none"):
        ByteSource(tmp_path / "none.csv", "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        ByteSource(tmp_path, "folder")
    for content in (b"", b"\n\n  \n", b"\xef\xbb\xbf"):
        path = tmp_path / "empty.csv"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"empty\.csv is empty"):
            ByteSource(path, path.name)


@pytest.mark.parametrize("name", ["delimited", "spreadsheet", "parquet"])
def test_a_file_with_a_header_only_has_no_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / WRITERS[name][0]
    if name == "parquet":
        kinds = pa.schema([(column, pa.string()) for column in items(1)[0]])
        pq.write_table(pa.Table.from_pylist([], kinds), path)
    elif name == "spreadsheet":
        book = openpyxl.Workbook()
        book.worksheets[0].append(list(items(1)[0]))
        book.save(path)
    else:
        path.write_text(",".join(items(1)[0]))
    assert "has no rows" in imported(path).failure


@each_format
def test_a_column_that_is_all_empty_is_no_obstacle(tmp_path: Path, name: str) -> None:
    file, writer = WRITERS[name]
    path = tmp_path / file
    nothing = "" if name == "delimited" else None
    path.write_bytes(writer([row | {"likes": nothing, "author_id": nothing} for row in items(3)]))
    found = imported(path)
    assert [set(item) & {"likes", "author_id"} for item in found.items] == [set()] * 3
    assert found.count.adjustments == {}


@each_format
def test_a_required_column_that_is_missing_is_named_with_the_way_out(
    tmp_path: Path, name: str
) -> None:
    file, writer = WRITERS[name]
    path = tmp_path / file
    rows = [{"platform": "x", "comment_id": "1", "words": "hi", "when": "soon"}] * 2
    path.write_bytes(writer(rows))
    found = imported(path)
    assert found.items == []
    assert "there is no column for kol_id, text, created_at" in found.failure
    assert "--kol ID" in found.failure


def test_a_sheet_can_be_named_and_must_be_if_several_hold_comments(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first, second = book.worksheets[0], book.create_sheet("December")
    for sheet, number in ((first, 0), (second, 1)):
        sheet.append(list(items(2)[0]))
        sheet.append(list(items(2)[number].values()))
    path = tmp_path / "c.xlsx"
    book.save(path)
    assert "name one: Sheet, December" in imported(path).failure
    assert [item["comment_id"] for item in imported(path, sheet="December").items] == ["c1"]
    assert "has no sheet 'May'" in imported(path, sheet="May").failure


def test_cells_of_a_spreadsheet_keep_their_meaning(tmp_path: Path) -> None:
    from datetime import datetime

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["platform", "comment_id", "kol_id", "text", "created_at", "likes"])
    sheet.append(["x", 17, "lena", 100, datetime(2026, 11, 25, 20, 19, 24), 3])  # noqa: DTZ001
    sheet.append(["x", 1990123456789012345, "lena", "hi", "2026-11-25T20:19:24Z", None])
    path = tmp_path / "c.xlsx"
    book.save(path)
    found = imported(path, zone="+07:00")
    (item,) = found.items
    assert (item["comment_id"], item["text"], item["likes"]) == ("17", "100", 3)
    assert item["created_at"] == "2026-11-25T13:19:24Z"
    assert found.refused == {3: "rounded_id"}


def test_mixed_zones_are_each_read_as_written(tmp_path: Path) -> None:
    times = ["2026-11-25T20:19:24Z", "2026-11-26T03:19:24+07:00", "2026-11-25T15:19:24-05:00"]
    rows = [row | {"created_at": at} for row, at in zip(items(3), times, strict=True)]
    found = imported(write_ndjson(tmp_path / "c.ndjson", rows), zone="Asia/Seoul")
    assert {item["created_at"] for item in found.items} == {"2026-11-25T20:19:24Z"}
