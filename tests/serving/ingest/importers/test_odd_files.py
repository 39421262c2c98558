"""Files in forms that some tools write, and what is no table at all."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from tests.serving.ingest.importers.imported import imported, items

TABLE = (
    "platform,comment_id,kol_id,text,created_at\n"
    "youtube,c0,lena,it broke,2026-11-20T10:00:00Z\n"
    "youtube,c1,lena,sehr schön,2026-11-20T10:01:00Z\n"
)


@pytest.mark.parametrize("delimiter", ["||", "::", "~|~", "\x01"])
@pytest.mark.parametrize("said", [True, False])
def test_delimiters_of_several_characters(tmp_path: Path, delimiter: str, said: bool) -> None:
    path = tmp_path / "c.csv"
    names = ["platform", "comment_id", "kol_id", "text", "created_at"]
    row = ["youtube", "c0", "lena", f'"it | broke{delimiter}again"', "2026-11-20T10:00:00Z"]
    path.write_text("\n".join([delimiter.join(names), delimiter.join(row)]))
    found = imported(path, delimiter=delimiter if said else None)
    assert [item["text"] for item in found.items] == [f"it | broke{delimiter}again"]


def test_delimiters_as_people_type_them(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(TABLE.replace(",", "\t"))
    assert len(imported(path, delimiter="\\t").items) == 2
    assert len(imported(path, delimiter="tab").items) == 2
    assert "cannot be a delimiter" in imported(path, delimiter='"').failure


def test_mixed_line_ends_and_rows_of_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    head, first, second = TABLE.splitlines()
    path.write_bytes(f"{head}\r{first}\n,,,,\r\n{second}\r\r\n".encode())
    found = imported(path)
    assert ([item["comment_id"] for item in found.items], found.rejected) == (["c0", "c1"], [])


@pytest.mark.parametrize(
    ("encoding", "texts"),
    [
        ("cp932", ["返品したいです", "とても残念です", "色がきれい"]),
        ("euc_jp", ["返品したいです", "とても残念です", "色がきれい"]),
        ("cp949", ["환불해 주세요 정말", "배송이 너무 늦어요", "다시는 안 삽니다"]),
        ("big5", ["品質太差了", "再也不買了", "物流太慢"]),
    ],
)
def test_encodings_of_east_asia(tmp_path: Path, encoding: str, texts: list[str]) -> None:
    path = tmp_path / "c.csv"
    rows = [
        f"youtube,c{n},lena,{text},2026-11-20T10:{n:02}:00Z" for n, text in enumerate(texts * 10)
    ]
    path.write_bytes("\n".join([TABLE.splitlines()[0], *rows]).encode(encoding))
    assert [item["text"] for item in imported(path).items] == texts * 10


def test_windows_vietnamese_is_composed(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(TABLE.replace("it broke", "ch\u00e2\u0301t").encode("cp1258", "replace"))
    assert imported(path, encoding="cp1258").by_id["c0"]["text"] == "chất"


def test_half_a_character_at_the_end_decides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    whole = TABLE + "youtube,c2,lena,đẹp"
    path.write_bytes(whole.encode()[:-1])
    found = imported(path)
    assert found.by_id["c1"]["text"] == "sehr schön"
    assert found.refused == {4: "bad_row"}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7 ...", "a PDF"),
        (b"\x89PNG\r\n\x1a\n....", "a picture"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"7z\xbc\xaf\x27\x1c....", "a 7z archive"),
        (gzip.compress(gzip.compress(TABLE.encode())), "compressed twice"),
        (gzip.compress(b"c.csv".ljust(257, b"\0") + b"ustar".ljust(300, b"\0")), "a tar archive"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(content)
    assert what in imported(path, platform="youtube", kol="lena").failure


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("c.csv", TABLE)
    data = bytearray(path.read_bytes())
    data[data.find(b"PK\x01\x02") + 8] |= 1  # the flag in its table of contents
    path.write_bytes(bytes(data))
    assert "needs a password" in imported(path).failure


def test_a_table_that_is_called_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.xls"
    path.write_text(TABLE.replace(",", "\t"))
    assert len(imported(path).items) == 2


def test_lines_of_json_may_end_with_commas_or_hold_lists(tmp_path: Path) -> None:
    one, two, three = items(3)
    path = tmp_path / "c.ndjson"
    path.write_text(f"{json.dumps(one)},\n{json.dumps([two, three])}\n// end\n")
    found = imported(path)
    assert sorted(found.by_id) == ["c0", "c1", "c2"]
    assert found.refused == {3: "bad_row"}
    assert "cut off" not in found.rejected[0]["reason"]


def test_objects_one_after_the_other_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text("\n".join(json.dumps(item, indent=2) for item in items(3)))
    assert sorted(imported(path).by_id) == ["c0", "c1", "c2"]


def test_a_key_that_a_json_object_has_twice_is_refused(tmp_path: Path) -> None:
    one, two = (json.dumps(item) for item in items(2))
    path = tmp_path / "c.json"
    path.write_text(f'[{one[:-1]}, "text": "another"}}, {two}]')
    found = imported(path)
    assert (sorted(found.by_id), found.refused) == (["c1"], {1: "bad_row"})


def test_json_says_what_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    whole = json.dumps([*items(2), items(1)[0] | {"likes": float("nan")}])
    path.write_text(whole)
    assert "NaN" in imported(path).rejected[0]["reason"]
    path.write_text(json.dumps(items(3))[:-20])
    assert "ends in the middle" in imported(path).rejected[0]["reason"]


@pytest.mark.parametrize(
    "header",
    [
        "Platform,Comment ID,KOL ID,Text,Created At",
        "platform,comment-id,kol-id,text,created-at",
        "platform,commentId,kolId,text,createdAt",
    ],
)
@pytest.mark.parametrize("lines", [False, True])
def test_names_of_columns_in_other_spellings(tmp_path: Path, header: str, lines: bool) -> None:
    """No id is derived where the file has one under a name that is only spelled otherwise."""
    path = tmp_path / "c.csv"
    _, *rows = TABLE.splitlines()
    if lines:
        names = header.split(",")
        text = "\n".join(json.dumps(dict(zip(names, row.split(","), strict=True))) for row in rows)
    else:
        text = "\n".join([header, *rows])
    path.write_text(text)
    assert [item["comment_id"] for item in imported(path).items] == ["c0", "c1"]


def test_two_columns_that_may_be_one_field_are_named(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    head, *rows = TABLE.replace("comment_id", "comment-id").splitlines()
    path.write_text("\n".join([f"{head},commentId", *(f"{row},x" for row in rows)]))
    assert "comment_id may be comment-id or commentId" in imported(path).failure
