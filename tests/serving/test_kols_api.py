"""KOLs, their mood and their comments over HTTP."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.serving.conftest import NOW

Item = Callable[..., dict[str, Any]]
PROFILE = {
    "name": "Lena Ha",
    "handles": {"instagram": "@lena.ha"},
    "followers": 120_000,
    "tier": "mid",
    "relation": "partner",
}


def test_a_kol_registers_itself_with_its_first_comment(client: TestClient, item: Item) -> None:
    assert client.get("/v1/kols/lena").status_code == 404
    client.post("/v1/comments", json=item())
    kol = client.get("/v1/kols/lena").json()
    assert (kol["kol_id"], kol["name"], kol["handles"]) == ("lena", None, {})


def test_a_profile_is_kept_beside_the_comments(
    client: TestClient, item: Item, processed: Callable[[], None]
) -> None:
    client.post("/v1/comments", json=item())
    processed()
    answer = client.put("/v1/kols/lena", json=PROFILE)
    assert answer.status_code == 200
    assert answer.json().items() >= PROFILE.items()
    assert answer.json()["status"]["kol_id"] == "lena"
    assert client.put("/v1/kols/lena", json={}).json()["followers"] is None


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        ({"followers": -1}, "followers"),
        ({"followers": "many"}, "followers"),
        ({"tier": "giga"}, "tier"),
        ({"relation": "friend"}, "relation"),
        ({"name": ""}, "name"),
        ({"name": "a\0b" + "x" * 200}, "name"),
        ({"handles": {"": "x"}}, "handles"),
        ({"nickname": "x"}, "nickname"),
    ],
)
def test_a_bad_profile_names_its_field(
    client: TestClient, profile: dict[str, Any], field: str
) -> None:
    answer = client.put("/v1/kols/lena", json=profile)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_parameter"
    assert answer.json()["field"].startswith(field)
    assert client.get("/v1/kols/lena").status_code == 404


def test_pages_of_kols(client: TestClient) -> None:
    for name in "dbace":
        client.put(f"/v1/kols/{name}", json={})
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/kols", params=query).json()
        seen += [kol["kol_id"] for kol in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == list("abcde")


def test_mood_adds_up(client: TestClient, item: Item, processed: Callable[[], None]) -> None:
    texts = {"09:00:10": "love it", "09:00:40": "hate it", "10:59:59": "love it"}
    client.post(
        "/v1/comments",
        json=[item(text=text, created_at=f"2026-03-10T{at}Z") for at, text in texts.items()],
    )
    processed()
    scores = client.post("/v1/score", json={"texts": ["love it", "hate it"]}).json()["predictions"]
    mood = client.get("/v1/kols/lena/mood", params={"from": "2026-03-10T00:00:00Z"}).json()
    assert [(point["start"], point["comments"]) for point in mood["points"]] == [
        ("2026-03-10T09:00:00Z", 2),
        ("2026-03-10T10:00:00Z", 1),
    ]
    assert mood["points"][0]["mood"] == pytest.approx(
        sum(score["positive"] - score["negative"] for score in scores) / 2, abs=1e-6
    )
    minute = client.get(
        "/v1/kols/lena/mood",
        params={"from": "2026-03-10T09:00:00Z", "to": "2026-03-10T09:01:00Z", "step": 60},
    ).json()
    assert [point["comments"] for point in minute["points"]] == [2]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"step": 61}, "invalid_parameter", "step"),
        ({"step": 0}, "invalid_parameter", "step"),
        ({"from": "2026-03-10T00:00:00"}, "invalid_parameter", "from"),
        ({"from": "2026-03-10T00:00:00Z", "to": "2026-03-09T00:00:00Z"}, "invalid_range", "from"),
        ({"from": "2020-01-01T00:00:00Z", "step": 60}, "invalid_range", "step"),
        ({"to": "0001-01-01T00:00:00Z"}, "invalid_range", "from"),
    ],
)
def test_a_bad_range_is_named(
    client: TestClient, query: dict[str, Any], code: str, field: str
) -> None:
    client.put("/v1/kols/lena", json={})
    answer = client.get("/v1/kols/lena/mood", params=query)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


def test_comments_by_filter_and_page(
    client: TestClient, item: Item, processed: Callable[[], None]
) -> None:
    items = [
        item(
            text="love it" if index % 3 else "hate it",
            post_id=f"p{index % 2}",
            author_id=f"a{index % 5}",
        )
        for index in range(30)
    ]
    client.post("/v1/comments", json=items)
    processed()

    def ids(**query: Any) -> list[str]:
        page = client.get("/v1/kols/lena/comments", params=query).json()
        return [comment["comment_id"] for comment in page["items"]]

    newest_first = [entry["comment_id"] for entry in reversed(items)]
    assert ids() == newest_first
    assert len(ids(sentiment="negative")) == 10
    assert len(ids(post_id="p1")) == 15
    assert len(ids(author_id="a0", post_id="p1")) == 3
    assert ids(to=items[1]["created_at"]) == [items[0]["comment_id"]]
    seen, cursor = [], None
    while True:
        query = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/kols/lena/comments", params=query).json()
        seen += [comment["comment_id"] for comment in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == newest_first


def test_another_lists_cursor_is_refused(client: TestClient) -> None:
    client.put("/v1/kols/a", json={})
    client.put("/v1/kols/b", json={})
    cursor = client.get("/v1/kols", params={"limit": 1}).json()["next_cursor"]
    answer = client.get("/v1/kols/a/comments", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


def test_default_range_is_the_last_day(client: TestClient) -> None:
    client.put("/v1/kols/lena", json={})
    mood = client.get("/v1/kols/lena/mood").json()
    assert mood["until"] == NOW.isoformat().replace("+00:00", "Z")
    assert mood["since"] == "2026-03-09T12:00:00Z"


def test_minutes_of_removed_comments_have_no_mood(
    client: TestClient, item: Item, processed: Callable[[], None]
) -> None:
    def comments() -> tuple[list[int], int]:
        """Of each point of the mood, and of the day's digest."""
        points = client.get("/v1/kols/lena/mood").json()["points"]
        (kol,) = client.get("/v1/digest", params={"day": "2026-03-10"}).json()["kols"]
        return [point["comments"] for point in points], kol["comments"]

    first, second = item(), item(created_at="2026-03-10T09:00:00Z")
    client.post("/v1/comments", json=[first, second, item(text="[removed]")])
    processed()
    assert comments() == ([1, 1], 2)
    for removed, left in ((first, ([1], 1)), (second, ([], 0))):
        client.post("/v1/comments", json=removed | {"text": "[deleted]"})
        deadline = time.monotonic() + 10
        while comments() != left and time.monotonic() < deadline:
            time.sleep(0.02)
        assert comments() == left
