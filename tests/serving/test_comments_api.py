"""POST /v1/comments: what is accepted, what is not, and that nothing good is lost with the bad."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

Item = Callable[..., dict[str, Any]]
NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


def lines(*items: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def test_one_comment(client: TestClient, item: Item) -> None:
    answer = client.post("/v1/comments", json=item())
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 1,
        "updated": 0,
        "duplicates": 0,
        "rejected": 0,
        "adjustments": {},
        "items": [
            {
                "index": 0,
                "platform": "instagram",
                "comment_id": "c1",
                "status": "accepted",
                "error": None,
            }
        ],
    }


def test_the_good_items_of_a_list_are_kept(
    client: TestClient, item: Item, processed: Callable[[], None]
) -> None:
    good, repeated = item(), item()
    bad = item(created_at="2026-03-01T00:00:00")
    answer = client.post("/v1/comments", json=[good, bad, repeated, repeated]).json()
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (2, 1, 1)
    assert [entry["status"] for entry in answer["items"]] == [
        "accepted",
        "rejected",
        "accepted",
        "duplicate",
    ]
    assert answer["items"][1]["error"]["code"] == "naive_timestamp"
    assert answer["items"][1]["error"]["field"] == "created_at"
    processed()
    kept = client.get("/v1/kols/lena/comments").json()["items"]
    assert {entry["comment_id"] for entry in kept} == {
        good["comment_id"],
        repeated["comment_id"],
    }


def test_the_same_id_on_another_platform_is_another_comment(client: TestClient, item: Item) -> None:
    first = item()
    answer = client.post("/v1/comments", json=[first, first | {"platform": "tiktok"}]).json()
    assert answer["accepted"] == 2


def test_repeats_are_counted_with_their_kol(client: TestClient, item: Item) -> None:
    comment = item()
    client.post("/v1/comments", json=comment)
    assert client.post("/v1/comments", json=comment).json()["duplicates"] == 1
    assert client.get("/v1/kols/lena").json()["duplicates"] == 1


def test_all_bad_is_refused_with_every_reason(client: TestClient, item: Item) -> None:
    answer = client.post("/v1/comments", json=[item(text=3), item(kol_id="")])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["field"], body["rejected"]) == ("all_rejected", "text", 2)
    assert [entry["error"]["field"] for entry in body["items"]] == ["text", "kol_id"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b'{"platform": ', 400, "malformed_json"),
        (b"[1, 2", 400, "malformed_json"),
        (b"[" * 64, 400, "malformed_json"),
        (b"[" * 65, 413, "too_complex"),
        (b'{"likes": ' + b"9" * 10_000 + b"}", 400, "malformed_json"),
        (b'{"text": "\xff\xfe"}', 400, "invalid_utf8"),
        (b"[]", 422, "invalid_parameter"),
        (b"null", 422, "all_rejected"),
        (b'"text"', 422, "all_rejected"),
        (b"[[]]", 422, "all_rejected"),
        (json.dumps([{}] * 1001).encode(), 422, "too_many_items"),
        (b" " * (16 * 1024 * 1024 + 1), 413, "body_too_large"),
    ],
)
def test_broken_bodies(client: TestClient, body: bytes, status: int, code: str) -> None:
    answer = client.post("/v1/comments", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_odd_optional_values_cost_no_comment_and_are_counted(
    client: TestClient, item: Item, processed: Callable[[], None]
) -> None:
    items = [
        item(likes=-37),
        item(likes="2.5K", author_id="9.18E+17"),
        item(text="Sáº£n pháº©m quÃ¡ tá»\x87", likes="3,456"),
        item(text={"runs": [{"text": "so "}, {"text": "bad"}]}, lang="x" * 90),
    ]
    answer = client.post("/v1/comments", json=items).json()
    assert answer["accepted"] == 4
    assert answer["adjustments"] == {
        "likes_read": 2,
        "likes_unknown": 1,
        "mojibake_repaired": 1,
        "optional_dropped": 2,
        "rich_text_joined": 1,
    }
    processed()
    kept = {
        entry["comment_id"]: entry for entry in client.get("/v1/kols/lena/comments").json()["items"]
    }
    assert [kept[f"c{n}"]["likes"] for n in (1, 2, 3, 4)] == [None, 2500, 3456, None]
    assert kept["c2"]["author_id"] is None
    assert kept["c3"]["text"] == "Sản phẩm quá tệ"
    assert kept["c4"]["text"] == "so bad"


def test_other_media_types_are_refused(client: TestClient) -> None:
    answer = client.post("/v1/comments", content=b"a,b", headers={"content-type": "text/csv"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_ndjson_names_each_bad_line(client: TestClient, item: Item) -> None:
    good = item()
    body = (
        lines(good)
        + b"{broken\n"
        + b'{"text": "\xff"}\n'
        + lines(item(created_at="2026-03-01T00:00:00"))
        + b'{"text": "'
        + b"x" * 1_100_000
        + b'"}\n'
        + lines(good)
    )
    answer = client.post("/v1/comments", content=body, headers=NDJSON)
    assert answer.status_code == 202
    summary = answer.json()
    assert (summary["accepted"], summary["duplicates"], summary["rejected"]) == (1, 1, 4)
    assert [(entry["index"], entry["error"]["code"]) for entry in summary["items"]] == [
        (1, "malformed_json"),
        (2, "invalid_utf8"),
        (3, "naive_timestamp"),
        (4, "line_too_long"),
    ]


def test_ndjson_has_no_limit_on_lines_and_needs_no_last_newline(
    client: TestClient, item: Item
) -> None:
    body = lines(*(item() for _ in range(1203))).rstrip(b"\n")
    assert client.post("/v1/comments", content=body, headers=NDJSON).json()["accepted"] == 1203


def test_blank_lines_are_skipped(client: TestClient, item: Item) -> None:
    body = b"\n" + lines(item()) + b"  \r\n"
    answer = client.post("/v1/comments", content=body, headers=NDJSON).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 0)


def test_an_empty_stream_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/comments", content=b"", headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")


def test_odd_text_is_stored_and_scored(
    client: TestClient, item: Item, processed: Callable[[], None]
) -> None:
    body = b"[" + b",".join(
        json.dumps(item(comment_id=name, text=text)).encode()
        for name, text in {
            "nul": "a\0b",
            "surrogate": "a\ud800b",
            "emoji": "😡" * 10_000,
            "zero-width": "\u200b\u200d\ufeff",
            "empty": "",
            "long": "bad " * 16_000,
        }.items()
    )
    answer = client.post("/v1/comments", content=body + b"]", headers=JSON)
    assert answer.json()["accepted"] == 6
    processed()
    stored = {
        entry["comment_id"]: entry for entry in client.get("/v1/kols/lena/comments").json()["items"]
    }
    assert stored["nul"]["text"] == "a\ufffdb"
    assert stored["surrogate"]["text"] == "a\ufffdb"
    assert (stored["empty"]["neutral"], stored["zero-width"]["neutral"]) == (1, 1)
    for entry in stored.values():
        total = entry["negative"] + entry["neutral"] + entry["positive"]
        assert total == pytest.approx(1, abs=1e-6)


def test_each_comment_that_was_sent_again_says_what_it_was(
    client: TestClient, item: Item, processed: Callable[[], None]
) -> None:
    first, gone = item(), item(text="[deleted]")
    client.post("/v1/comments", json=first)
    again = [first | {"text": "hate it"}, first | {"text": "hate it"}, gone, item(text=1)]
    answer = client.post("/v1/comments", json=again)
    statuses = ["updated", "duplicate", "accepted", "rejected"]
    assert answer.status_code == 202
    assert [entry["status"] for entry in answer.json()["items"]] == statuses
    counts = {
        name: answer.json()[name] for name in ("accepted", "updated", "duplicates", "rejected")
    }
    assert counts == dict.fromkeys(counts, 1)
    summary = client.post("/v1/comments", content=lines(first | {"likes": 3}), headers=NDJSON)
    assert (summary.status_code, summary.json()["updated"]) == (202, 1)
    processed()
    (listed,) = client.get("/v1/kols/lena/comments").json()["items"]
    assert (listed["text"], listed["likes"], listed["removed"]) == ("love it", 3, False)
    (listed,) = client.get("/v1/kols/lena/comments?removed=true").json()["items"]
    assert (listed["text"], listed["comment_id"], listed["removed"]) == (
        "",
        gone["comment_id"],
        True,
    )
    metrics = client.get("/metrics").text
    assert 'groundswell_comments_received_total{kol="lena",outcome="updated"} 2.0' in metrics


def test_a_comment_is_shown_with_its_former_texts(client: TestClient, item: Item) -> None:
    first = item(comment_id="a/b", text="hate it")
    edited = first | {"text": "love it", "edited_at": first["created_at"]}
    client.post("/v1/comments", json=[first, edited, first | {"kol_id": "mina"}])
    mine, hers = client.get("/v1/comments/instagram/a%2Fb").json()["items"]
    assert (mine["kol_id"], mine["text"]) == ("lena", "love it")
    assert [(one["text"], one["edited_at"]) for one in mine["versions"]] == [("hate it", None)]
    assert (hers["kol_id"], hers["text"], hers["versions"]) == ("mina", "hate it", [])
    assert client.get("/v1/comments/tiktok/a%2Fb").status_code == 404
