"""Posts over HTTP: what is stored of them, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from serving.settings import Settings
from tests.serving.conftest import NewUrl

POST = {
    "platform": "instagram",
    "post_id": "p1",
    "kols": ["lena", "mina"],
    "text": "New lipstick,\nout on Friday 💄",
    "url": "https://www.instagram.com/p/abc/?x=1",
    "created_at": "2026-03-09T09:00:00Z",
    "kind": "short",
    "counts": {"at": "2026-03-09T10:00:00Z", "likes": 10, "comments": 2},
}


@pytest.fixture
def settings(new_url: NewUrl) -> Settings:
    return Settings(database_url=new_url(), _env_file=None)


def send(client: TestClient, *posts: dict[str, Any]) -> list[str]:
    answer = client.post("/v1/posts", json=list(posts))
    assert answer.status_code == 200, answer.text
    return [item["status"] for item in answer.json()["items"]]


def test_a_post_comes_back_as_it_was_sent(client: TestClient) -> None:
    answer = client.post("/v1/posts", json=POST)
    receipt = {"platform": "instagram", "post_id": "p1", "status": "accepted"}
    counts = {"accepted": 1, "updated": 0, "duplicates": 0}
    assert (answer.status_code, answer.json()) == (200, counts | {"items": [receipt]})
    found = client.get("/v1/posts/instagram/p1").json()
    series, newest = found.pop("series"), found.pop("counts")
    assert found == {name: POST[name] for name in found if name in POST} | {
        "recorded_at": "2026-03-10T12:00:00Z"
    }
    assert series == [newest] == [POST["counts"] | {"shares": None, "views": None}]
    for kol_id in ("lena", "mina"):
        (listed,) = client.get(f"/v1/kols/{kol_id}/posts").json()["items"]
        assert (listed["text"], listed["counts"]["likes"]) == (POST["text"], 10)
    assert client.get("/v1/kols/mina").status_code == 200  # registered with its post


def test_what_is_new_of_a_post_is_added(client: TestClient) -> None:
    key = {"platform": "instagram", "post_id": "p1"}
    changes: list[dict[str, Any]] = [
        {"kols": ["lena"]},
        {"kols": ["lena"], "text": "Out now"},
        {"kols": ["zoe"]},
        {"kols": ["lena"], "counts": [{"at": "2026-03-09T11:00:00Z", "likes": 20}, {"views": 9}]},
        {"kols": ["lena"], "counts": {"at": "2026-03-09T10:00:00Z", "shares": 3}},
    ]
    assert send(client, POST, POST, *(key | change for change in changes)) == [
        *("accepted", "duplicate", "duplicate"),
        *("updated", "updated", "updated", "updated"),
    ]
    found = client.get("/v1/posts/instagram/p1").json()
    assert (found["kols"], found["text"], found["kind"]) == (
        ["lena", "mina", "zoe"],
        "Out now",
        "short",
    )
    readings = [
        (one["likes"], one["comments"], one["shares"], one["views"]) for one in found["series"]
    ]
    assert readings == [(10, 2, 3, None), (20, None, None, None), (None, None, None, 9)]
    assert found["counts"]["views"] == 9


def test_a_thousand_posts_take_few_statements(client: TestClient) -> None:
    def post(number: int, likes: int, *times: str) -> dict[str, Any]:
        return {
            "platform": ("instagram", "x")[number % 2],
            "post_id": f"many{number}",
            "kols": ["lena", f"kol{number}"],
            "counts": [{"at": at, "likes": likes} for at in times],
        }

    early, late = "2026-03-09T10:00:00Z", "2026-03-09T11:00:00Z"
    sent = 0

    def count(*_: object) -> None:
        nonlocal sent
        sent += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        first = send(client, *(post(number, 1, early) for number in range(1000)))
        again = send(client, *(post(number, number % 3, early, late) for number in range(1000)))
        same = send(client, *(post(number, number % 3, early, late) for number in range(1000)))
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert set(first) == {"accepted"}
    assert set(again) == {"updated"}
    assert set(same) == {"duplicate"}
    assert sent < 200
    assert [
        [one["likes"] for one in client.get(f"/v1/posts/{name}").json()["series"]]
        for name in ("instagram/many0", "x/many1", "instagram/many998")
    ] == [[0, 0], [1, 1], [2, 2]]
    assert client.get("/v1/kols/kol999").status_code == 200


def test_posts_are_listed_last_published_first(client: TestClient) -> None:
    def post(name: str, day: int | None) -> dict[str, Any]:
        at = None if day is None else f"2026-03-0{day}T00:00:00Z"
        return {"platform": "x", "post_id": name, "kols": ["lena"], "created_at": at}

    days = {"a": 3, "b": 5, "c": None, "d": 3, "e/f": 1}
    send(client, *(post(name, day) for name, day in days.items()))
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/kols/lena/posts", params=query).json()
        seen += [one["post_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["c", "b", "a", "d", "e/f"]
    assert client.get("/v1/posts/x/e%2Ff").json()["post_id"] == "e/f"
    assert client.get("/v1/posts/y/a").status_code == 404
    assert client.get("/v1/kols/nobody/posts").status_code == 404
    answer = client.get("/v1/kols/lena/posts", params={"cursor": "eA"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"platform": ""}, "platform", "must not be empty"),
        ({"post_id": None}, "post_id", "must not be empty"),
        ({"post_id": 1.8e18}, "post_id", "was rounded"),
        ({"post_id": "1.8E+18"}, "post_id", "was rounded"),
        ({"kols": []}, "kols", "at least 1"),
        ({"kols": ["a/b"]}, "kols", "write it like a-b"),
        ({"kols": "lena"}, "kols", "list"),
        ({"kind": "reel"}, "kind", "'photo', 'album', 'video', 'short', 'live', 'story'"),
        ({"url": "ftp://x.com/a"}, "url", "http or https"),
        ({"url": "javascript:alert(1)"}, "url", "http or https"),
        ({"url": "www.instagram.com/p/abc"}, "url", "http or https"),
        ({"url": "https://"}, "url", "http or https"),
        ({"url": "https://me:secret@x.com/"}, "url", "without a password"),
        ({"url": "https://x.com/a b"}, "url", "http or https"),
        ({"url": "https://x.com/\n"}, "url", "http or https"),
        ({"url": "https://[x.com/"}, "url", "http or https"),
        ({"url": "https://x.com/" + "a" * 2000}, "url", "at most 2000"),
        ({"created_at": "2026-03-11T00:00:00Z"}, "created_at", "future"),
        ({"created_at": "2026-03-09T00:00:00"}, "created_at", "timezone"),
        ({"created_at": "1999-01-01T00:00:00Z"}, "created_at", "after 1999"),
        ({"text": "x" * 70_000}, "text", "shorten it"),
        ({"counts": {"likes": -1}}, "counts.PostCountsIn.likes", "greater than or equal to 0"),
        ({"counts": {"like": 1}}, "counts.PostCountsIn.like", "not permitted"),
        ({"txt": "x"}, "txt", "not permitted"),
    ],
)
def test_a_bad_post_names_its_field(
    client: TestClient, change: dict[str, Any], field: str, said: str
) -> None:
    answer = client.post("/v1/posts", json=[POST, POST | change])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert answer.json()["field"] == f"1.{field}"
    assert said in answer.json()["detail"]
    assert client.get("/v1/posts/instagram/p1").status_code == 404  # nothing half-written


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"[]", 422, "invalid_parameter"),
        (b"3", 422, "invalid_parameter"),
        (b"[" + b"3," * 1000 + b"3]", 422, "too_many_items"),
        (b" " * (16 * 1024 * 1024 + 1), 413, "body_too_large"),
    ],
)
def test_a_body_without_posts(client: TestClient, body: bytes, status: int, code: str) -> None:
    answer = client.post("/v1/posts", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_comment_may_name_a_post_that_nobody_sent(
    client: TestClient, item: Callable[..., dict[str, Any]]
) -> None:
    client.post("/v1/comments", json=item(post_id="p9"))
    (listed,) = client.get("/v1/kols/lena/comments").json()["items"]
    assert listed["post_id"] == "p9"
    assert client.get("/v1/kols/lena/posts").json()["items"] == []
    assert client.get("/v1/posts/instagram/p9").status_code == 404
