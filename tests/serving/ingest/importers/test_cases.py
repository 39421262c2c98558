"""Files as people have them: what is read, what is refused, and that the refusal names its row."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.storage.kol_store import KnownKols
from tests.serving.ingest.importers.conftest import Importing
from tests.serving.ingest.importers.imported import imported, items, write_ndjson

HEAD = "platform,comment_id,kol_id,text,created_at,likes"
ROWS = [
    "youtube,m1,lena,the strap broke on day one,2026-11-20T10:00:00Z,3",
    "youtube,m2,lena,Schöne Farbe, aber zu groß, tiếc quá,2026-11-20T10:01:00Z,1",
    "youtube,m3,lena,환불해 주세요,2026-11-20T10:02:00Z,0",
]
TEXTS = ["the strap broke on day one", "Schöne Farbe, aber zu groß, tiếc quá", "환불해 주세요"]


def as_table(delimiter: str, end: str = "\n") -> str:
    """The rows with another delimiter; in texts a space follows a comma."""
    return re.sub(",(?! )", delimiter, end.join([HEAD, *ROWS]))


def test_rows_are_sent_in_order_of_time(importing: Importing, tmp_path: Path) -> None:
    rows = items(40)
    newest_first = importing(write_ndjson(tmp_path / "desc.ndjson", rows[::-1]))
    oldest_first = importing(write_ndjson(tmp_path / "asc.ndjson", rows))
    assert newest_first.items == oldest_first.items
    assert [item["comment_id"] for item in oldest_first.items] == [f"c{n}" for n in range(40)]


def test_files_are_merged_by_time(importing: Importing, tmp_path: Path) -> None:
    rows = items(10)
    found = importing(
        write_ndjson(tmp_path / "odd.ndjson", rows[1::2]),
        write_ndjson(tmp_path / "even.ndjson", rows[::2]),
    )
    assert [item["comment_id"] for item in found.items] == [f"c{n}" for n in range(10)]


def test_keys_of_later_lines_are_kept(importing: Importing, tmp_path: Path) -> None:
    first, *others = items(3)
    rows = [
        first,
        *(row | {"author_id": "u9", "post_id": "p1", "parent_id": "c0"} for row in others),
    ]
    found = importing(write_ndjson(tmp_path / "c.ndjson", rows)).by_id
    assert "author_id" not in found["c0"]
    assert (found["c2"]["author_id"], found["c2"]["parent_id"]) == ("u9", "c0")


@pytest.mark.parametrize("text", ["1.87E+18", "1,87E+18", "1.8719e+18"])
def test_ids_in_scientific_notation_are_refused(
    importing: Importing, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "c.csv"
    rows = [f'x,"{text}",lena,{words},2026-11-20T10:00:00Z' for words in ("bad", "worse", "no")]
    path.write_text("\n".join(["platform,comment_id,kol_id,text,created_at", *rows]))
    found = importing(path)
    assert found.items == []
    assert found.refused == {2: "rounded_id", 3: "rounded_id", 4: "rounded_id"}
    assert "export the column as text" in found.rejected[0]["reason"]


def test_ids_that_are_floats_are_refused(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "c.ndjson"
    lines = write_ndjson(path, items(2)).read_text()
    path.write_text(lines.replace('"c0"', "1.87719e+18").replace('"c1"', "1877190000000000000.0"))
    assert importing(path).refused == {1: "rounded_id", 2: "rounded_id"}


def test_ids_rounded_to_15_digits_are_refused_all_together(
    importing: Importing, tmp_path: Path
) -> None:
    rows = [
        row | {"comment_id": f"19{n:02}12345678{n:02}{n % 9 + 1}{'0' * 4}"}
        for n, row in enumerate(items(30))
    ]
    found = importing(write_ndjson(tmp_path / "c.ndjson", rows))
    assert found.items == []
    assert set(found.refused.values()) == {"rounded_id"}
    assert len(found.refused) == 30


def test_ids_that_are_round_by_themselves_are_read(importing: Importing, tmp_path: Path) -> None:
    seconds = [row | {"comment_id": f"17954{n:05}000000"} for n, row in enumerate(items(30))]
    whole = [row | {"comment_id": f"19{n:02}12345678901{n:04}"} for n, row in enumerate(items(30))]
    assert len(importing(write_ndjson(tmp_path / "a.ndjson", seconds)).items) == 30
    assert len(importing(write_ndjson(tmp_path / "b.ndjson", whole)).items) == 30


def test_likes_cost_no_comment(importing: Importing, tmp_path: Path) -> None:
    written = [-37, -1, "2.5K", "3,456", "null", "12.0", 4, None]
    rows = [row | {"likes": likes} for row, likes in zip(items(8), written, strict=True)]
    found = importing(write_ndjson(tmp_path / "c.ndjson", rows))
    assert [item.get("likes") for item in found.items] == [
        None,
        None,
        2500,
        3456,
        None,
        12,
        4,
        None,
    ]
    assert found.count.adjustments == {"likes_read": 3, "likes_unknown": 3}
    path = tmp_path / "c.csv"
    cells = ["-37", "2.5K", "NaN", "N/A", "", "7"]
    lines = [f"reddit,i{n},lena,x,2026-11-20T10:00:00Z,{cell}" for n, cell in enumerate(cells)]
    path.write_text("\n".join([HEAD, *lines]))
    found = importing(path)
    assert [item.get("likes") for item in found.items] == [None, 2500, None, None, None, 7]
    assert found.count.adjustments == {"likes_read": 1, "likes_unknown": 3}


def test_rich_text_is_joined_and_nothing_else_made_text(
    importing: Importing, tmp_path: Path
) -> None:
    one, two, three, four, five = items(5)
    rows = [
        one | {"text": {"runs": [{"text": "I regret "}, {"text": "buying"}]}},
        two | {"text": ["look: ", {"type": "bold", "text": "torn"}, "!"]},
        three | {"text": {"html": "<b>x</b>"}},
        four | {"author_id": {"id": "42", "username": "u"}},
        five | {"comment_id": ["c5"]},
    ]
    found = importing(write_ndjson(tmp_path / "c.ndjson", rows))
    assert [item["text"] for item in found.items] == ["I regret buying", "look: torn!"]
    assert found.refused == {3: "wrong_type", 4: "wrong_type", 5: "wrong_type"}
    assert [row["field"] for row in found.rejected] == ["text", "author_id", "comment_id"]
    author = write_ndjson(tmp_path / "d.ndjson", [rows[3]])
    assert importing(author, fields={"author_id": "author_id.id"}).items[0]["author_id"] == "42"


def test_a_stray_quote_costs_its_row_only(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        HEAD + "\n"
        'youtube,s1,lena,"9 inch they said, more like 6,2026-11-20T10:00:00Z,3\n'
        "youtube,s2,lena,never again,2026-11-20T10:01:00Z,3\n"
        'youtube,s3,lena,a 15" laptop?,2026-11-20T10:02:00Z,3\n'
        "youtube,s4,lena,fine,2026-11-20T10:03:00Z,3\n"
    )
    found = importing(path)
    assert list(found.by_id) == ["s2", "s3", "s4"]
    assert found.by_id["s3"]["text"] == 'a 15" laptop?'
    assert found.refused == {2: "bad_row"}
    assert "quotation mark" in found.rejected[0]["reason"]


def test_a_quote_that_closes_rows_later_swallows_none(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        HEAD + "\n"
        'youtube,s1,lena,"9 inch they said,2026-11-20T10:00:00Z,3\n'
        "youtube,s2,lena,never again,2026-11-20T10:01:00Z,3\n"
        'youtube,s3,lena,mine was 15",2026-11-20T10:02:00Z,3\n'
        "youtube,s4,lena,fine,2026-11-20T10:03:00Z,3\n"
    )
    found = importing(path)
    assert list(found.by_id) == ["s2", "s3", "s4"]
    assert found.refused == {2: "bad_row"}


def test_a_quote_that_is_never_closed_costs_its_row_only(
    importing: Importing, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    rows = [f"youtube,s{n},lena,ok,2026-11-20T10:00:00Z,3" for n in range(5000)]
    rows[7] = rows[7].replace("ok", '"ok')
    path.write_text("\n".join([HEAD, *rows]))
    found = importing(path)
    assert len(found.items) == 4999
    assert found.refused == {9: "bad_row"}


def test_line_breaks_in_cells_are_kept(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        f'{HEAD}\nyoutube,s1,lena,"one\ntwo, three\n\n""four""",2026-11-20T10:00:00Z,3\n'
    )
    found = importing(path)
    assert found.items[0]["text"] == 'one\ntwo, three\n\n"four"'
    assert found.rejected == []


def test_times_of_a_table(importing: Importing, tmp_path: Path) -> None:
    times = {
        "1795637964.0": "2026-11-25T20:19:24Z",
        "1795637964000": "2026-11-25T20:19:24Z",
        "Wed, 25 Nov 2026 20:19:24 GMT": "2026-11-25T20:19:24Z",
        "2026-11-25 20:19:24 UTC": "2026-11-25T20:19:24Z",
        "11/25/2026 8:19 PM": "naive_timestamp",
        "01/02/2026 20:19": "ambiguous_timestamp",
        "3 hours ago": "relative_timestamp",
        "46355.42": "bad_timestamp",
        "2026-11-25": "no_time_of_day",
    }
    path = tmp_path / "c.csv"
    rows = [f"youtube|d{n}|lena|when|{written}" for n, written in enumerate(times)]
    path.write_text("\n".join(["platform|comment_id|kol_id|text|created_at", *rows]))
    found = importing(path)
    read = {item["comment_id"]: item["created_at"] for item in found.items}
    outcome = [read.get(f"d{n}") or found.refused[n + 2] for n in range(len(times))]
    assert outcome == list(times.values())
    reasons = {row["code"]: row["reason"] for row in found.rejected}
    assert "--time-zone" in reasons["naive_timestamp"]
    assert "--day-first" in reasons["ambiguous_timestamp"]
    assert "--as-of" in reasons["relative_timestamp"]


def test_floats_in_parquet(importing: Importing, tmp_path: Path) -> None:
    table = pa.table(
        {
            "platform": ["tiktok"] * 3,
            "comment_id": pa.array([7.5e18, 7.5e18, None], pa.float64()),
            "kol_id": ["lena"] * 3,
            "text": ["a", "b", "c"],
            "created_at": pa.array([1795637964.0, 1795637964.5, 1795637965.0]),
            "post_id": pa.array([123.0, None, 123.0]),
            "likes": pa.array([1.0, float("nan"), -1.0]),
        }
    )
    pq.write_table(table, tmp_path / "bad.parquet")
    found = importing(tmp_path / "bad.parquet")
    assert found.refused == {1: "rounded_id", 2: "rounded_id", 3: "missing_field"}
    ids = pa.array(["a", "b", "c"])
    pq.write_table(table.set_column(1, "comment_id", ids), tmp_path / "good.parquet")
    items = importing(tmp_path / "good.parquet").items
    assert [item["created_at"] for item in items] == [
        "2026-11-25T20:19:24Z",
        "2026-11-25T20:19:24.500000Z",
        "2026-11-25T20:19:25Z",
    ]
    assert [item.get("post_id") for item in items] == ["123", None, "123"]
    assert [item.get("likes") for item in items] == [1, None, None]


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "mac": "\r".join([HEAD, *ROWS, ""]).encode(),
        "windows": "\r\n".join([HEAD, *ROWS, ""]).encode(),
        "marked": "\n".join([HEAD, *ROWS]).encode("utf-8-sig"),
        "excel": as_table("\t").encode("utf-16"),
        "wide": as_table(",").encode("utf-16-le"),
        "sep": ("\ufeffsep=;\r\n" + as_table(";", "\r\n")).encode(),
        "caret": as_table("^").encode(),
        "preamble": (
            "\ufeffReport:,All mentions\nBrand:,Lumière\nFrom:,\"Fri Nov 20 00:00:00 UTC 2026\"\n"
            "To:,\"Sat Nov 21 00:00:00 UTC 2026\"\n\n" + "\n".join([HEAD, *ROWS])
        ).encode(),
        "padded": (
            "Report:,All mentions,,,,\nBrand:,Acme,,,,\n,,,,,\n" + "\n".join([HEAD, *ROWS])
        ).encode(),
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_form_of_a_table(
    importing: Importing, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_bytes(content)
    found = importing(path)
    assert found.rejected == []
    assert [item["text"] for item in found.items] == TEXTS
    assert [item["likes"] for item in found.items] == [3, 1, 0]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_a_table_in_a_western_encoding(importing: Importing, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "c.csv"
    words = [
        "Größe passt überhaupt nicht",
        "très déçu, c'était cher",
        "añadir más tamaños, por favor",
    ]
    rows = [f'youtube,e{n},lena,"{text}",2026-11-20T10:00:00Z,1' for n, text in enumerate(words)]
    path.write_bytes("\n".join([HEAD, *rows]).encode(encoding))
    found = importing(path)
    assert [item["text"] for item in found.items] == words
    assert any("guessed" in note for note in found.count.files[0].notes)
    assert [item["text"] for item in importing(path, encoding=encoding).items] == words


def test_single_damaged_lines_are_named(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    rows = [f"youtube,e{n},lena,quá đẹp {n},2026-11-20T10:00:00Z,1".encode() for n in range(60)]
    rows[20] = rows[20].replace("đ".encode(), b"\xff")
    path.write_bytes(b"\n".join([HEAD.encode(), *rows]))
    found = importing(path)
    assert len(found.items) == 59
    assert found.refused == {22: "bad_row"}


def test_a_column_that_is_there_twice_is_refused_if_it_is_used(
    importing: Importing, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    path.write_text(f"{HEAD},text\n{ROWS[0]},\n")
    found = importing(path)
    assert found.items == []
    assert "two columns 'text'" in found.failure
    path.write_text(f"{HEAD},note,Note\n{ROWS[0]},a,b\n")
    assert len(importing(path).items) == 1


def test_a_key_that_is_there_twice_is_refused(importing: Importing, tmp_path: Path) -> None:
    path = write_ndjson(tmp_path / "c.ndjson", items(2))
    path.write_text(path.read_text().replace('"likes": 1', '"likes": 1, "text": "other"'))
    found = importing(path)
    assert found.refused == {2: "bad_row"}
    assert "'text' twice" in found.rejected[0]["reason"]


def test_wrongly_decoded_text_is_repaired_and_counted(importing: Importing, tmp_path: Path) -> None:
    good = "Chất lượng quá kém 😡"
    rows = [items(2)[0] | {"text": good.encode().decode("latin-1")}, items(2)[1] | {"text": good}]
    found = importing(write_ndjson(tmp_path / "c.ndjson", rows))
    assert [item["text"] for item in found.items] == [good, good]
    assert found.count.adjustments == {"mojibake_repaired": 1}


def test_notices_of_deletions_are_tombstones(importing: Importing, tmp_path: Path) -> None:
    texts = ["[deleted]", "[removed]", "[ Removed by Reddit ]", "", "\u200b", "fine"]
    rows = [row | {"text": text} for row, text in zip(items(6), texts, strict=True)]
    found = importing(write_ndjson(tmp_path / "c.ndjson", rows)).items
    assert [item.get("deleted", False) for item in found] == [True, True, True, False, False, False]


def test_an_export_without_ids(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "comment,replies,date,user_name\n"
        "\"I asked three times.\nNo answer\",\"['me too', 'week 2 now']\","
        "2026-11-20T18:05:11Z,@one\n"
        "Her best video yet,[],2026-11-20T17:44:02Z,@two\n"
        '"Is this ""vegan""?",[\'asking as well\'],2026-11-20T16:20:40Z,@three\n'
    )
    found = importing(path, kol="lena", platform="youtube")
    assert [item["author_id"] for item in found.items] == ["@three", "@two", "@one"]
    assert found.items[2]["text"] == "I asked three times.\nNo answer"
    assert found.count.files[0].replies_left_out == 3
    assert found.rejected == []
    again = importing(path, kol="lena", platform="youtube")
    ids = [item["comment_id"] for item in found.items]
    assert [item["comment_id"] for item in again.items] == ids
    assert len(set(ids)) == 3


def test_replies_with_a_time_become_comments(importing: Importing, tmp_path: Path) -> None:
    rows = [
        {
            "text": "parent",
            "date": "2026-11-20T10:00:00Z",
            "user_name": "a",
            "replies": [
                {"text": "dated", "date": "2026-11-20T11:00:00Z", "user_name": "b"},
                {"text": "not dated", "user_name": "c"},
                "only a text",
            ],
        }
    ]
    found = importing(write_ndjson(tmp_path / "c.ndjson", rows), kol="lena", platform="x")
    parent, reply = found.items
    assert (reply["text"], reply["parent_id"]) == ("dated", parent["comment_id"])
    assert "parent_id" not in parent
    assert found.count.files[0].replies_left_out == 2


def test_the_hour_that_comes_twice_is_said(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    rows = ["00:10:00", "01:20:00", "01:20:00", "02:05:00"]
    lines = [f"x,t{n},lena,words,2026-11-01 {at},0" for n, at in enumerate(rows)]
    path.write_text("\n".join([HEAD, *lines, "x,t4,lena,words,2026-03-08 02:30:00,0"]))
    found = importing(path, zone="America/New_York")
    assert list(found.by_id) == ["t0", "t3"]
    assert found.refused == {3: "repeated_hour", 4: "repeated_hour", 6: "repeated_hour"}
    assert "comes twice" in found.rejected[0]["reason"]
    assert len(importing(path, zone="-05:00").items) == 5


def test_comments_may_name_a_kol_by_its_handle(tmp_path: Path) -> None:
    rows = [{**row, "kol_id": None, "handle": "@Lena.P"} for row in items(2)]
    path = write_ndjson(tmp_path / "c.ndjson", rows)
    known = KnownKols(handles={("youtube", "lena.p"): "lena"})
    assert [item["kol_id"] for item in imported(path, known=known).items] == ["lena", "lena"]
    assert imported(path).refused == {1: "unknown_handle", 2: "unknown_handle"}
