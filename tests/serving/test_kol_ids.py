"""Which ids KOLs can have, and how they are named otherwise: by older ids and by handles."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.ingest.kol_id import fits, fitting
from serving.ingest.values.invalid_value import InvalidValue
from serving.settings import Settings
from serving.storage.database import Database
from serving.storage.tables import kols
from tests.serving.conftest import NOW, NewUrl

Item = Callable[..., dict[str, Any]]
GOOD = ["lena-park", "a", "A.b_c~9", "Ánh-dương", "李娜", "लेना", "ลีน่า", "x" * 128, "..."]
BAD = {
    "a/b": "a-b",
    "a\\b": "a-b",
    "what?": "what",
    "50%": "50",
    "#1 fan": "1-fan",
    "lena park": "lena-park",
    "😀": "lena-park",
    "..": "lena-park",
    ".": "lena-park",
    "@lena": "lena",
}


@pytest.mark.parametrize("kol_id", GOOD)
def test_letters_and_digits_of_any_script_fit(kol_id: str) -> None:
    assert fitting(kol_id) == kol_id


def test_ids_are_composed() -> None:
    decomposed = "A\u0301nh"
    assert not fits(decomposed)
    assert fitting(decomposed) == "Ánh"


@pytest.mark.parametrize("kol_id", BAD)
def test_other_ids_are_refused_with_one_that_would_do(
    client: TestClient, item: Item, kol_id: str
) -> None:
    better = f"write it like {BAD[kol_id]}"
    with pytest.raises(InvalidValue) as caught:
        fitting(kol_id)
    assert caught.value.message.endswith(better)
    answer = client.post("/v1/comments", json=[item(kol_id=kol_id), item()]).json()
    error = answer["items"][0]["error"]
    assert (error["code"], error["field"]) == ("bad_kol_id", "kol_id")
    assert error["message"].endswith(better)
    silence = {"kols": ["lena", kol_id], "ends_at": "2026-03-11T00:00:00Z"}
    answer = client.post("/v1/silences", json=silence | {"reason": "x", "actor": "mai"})
    assert (answer.status_code, answer.json()["field"]) == (422, "kols")
    assert answer.json()["detail"].endswith(better)


@pytest.mark.parametrize("kol_id", [one for one in BAD if one not in {".", ".."}])
def test_no_kol_is_registered_with_another_id(client: TestClient, kol_id: str) -> None:
    answer = client.put(f"/v1/kols/{quote(kol_id, safe='')}", json={})
    assert (answer.status_code, answer.json()["field"]) == (422, "kol_id")
    assert answer.json()["detail"].endswith(f"write it like {BAD[kol_id]}")
    assert client.get("/v1/kols").json()["items"] == []


def test_both_forms_of_an_id_are_one_kol(client: TestClient, item: Item) -> None:
    client.post("/v1/comments", json=item(kol_id="A\u0301nh"))
    assert client.put("/v1/kols/A\u0301nh", json={"name": "Ánh"}).json()["kol_id"] == "Ánh"
    for form in ("A\u0301nh", "Ánh"):
        found = client.get(f"/v1/kols/{form}").json()
        assert (found["kol_id"], found["name"]) == ("Ánh", "Ánh")
    assert len(client.get("/v1/kols").json()["items"]) == 1


def test_ids_from_before_are_still_taken_and_reachable(
    new_url: NewUrl, classifier: SentimentClassifier, item: Item
) -> None:
    older = ["a/b", "lena park", "A\u0301nh", "50%"]
    url = new_url()

    async def register() -> None:
        database = Database(url)
        async with database.write() as connection:
            for kol_id in older:
                await connection.execute(kols.insert().values(kol_id=kol_id, registered_at=0))
        await database.close()

    asyncio.run(register())
    app = create_app(
        Settings(database_url=url, _env_file=None), classifier=classifier, clock=TestClock(NOW)
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/v1/comments", json=[item(kol_id=kol_id) for kol_id in older])
        assert answer.json()["accepted"] == len(older)
        for kol_id in older:
            path = f"/v1/kols/{quote(kol_id, safe='')}"
            assert client.get(path).json()["kol_id"] == kol_id
            assert client.put(path, json={"name": "x"}).json()["name"] == "x"
            for more in ("policy", "mood", "comments", "followers"):
                assert client.get(f"{path}/{more}").status_code == 200, (kol_id, more)
            assert len(client.get(f"{path}/comments").json()["items"]) == 1
        assert len(client.get("/v1/kols").json()["items"]) == len(older)
        assert client.get("/v1/kols/a/c").status_code == 404


def test_a_comment_may_name_its_kol_by_its_handle(client: TestClient, item: Item) -> None:
    client.put("/v1/kols/lena", json={"handles": {"instagram": "@Lena.Ha", "tiktok": "lh"}})
    named = {"kol_id": None}
    sent = [
        item(handle="lena.ha", **named),
        item(handle="@LENA.HA", **named),
        item(handle="lh", **named),  # her name elsewhere
        item(handle="lh", platform="tiktok", **named),
        item(handle="nobody", kol_id="mina"),  # the id decides
        item(**named),
    ]
    items = client.post("/v1/comments", json=sent).json()["items"]
    statuses = ["accepted", "accepted", "rejected", "accepted", "accepted", "rejected"]
    assert [entry["status"] for entry in items] == statuses
    error = items[2]["error"]
    assert (error["code"], error["field"]) == ("unknown_handle", "handle")
    assert "PUT /v1/kols/lena-park with handles" in error["message"]
    error = items[5]["error"]
    assert (error["code"], error["field"]) == ("missing_field", "kol_id")
    assert "as handle" in error["message"]
    assert len(client.get("/v1/kols/lena/comments").json()["items"]) == 3


def test_a_handle_is_one_kols(client: TestClient) -> None:
    client.put("/v1/kols/lena", json={"handles": {"instagram": "@Lena"}})
    answer = client.put("/v1/kols/mina", json={"name": "M", "handles": {"instagram": "lena"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "KOL 'lena'" in answer.json()["detail"]
    assert client.get("/v1/kols/mina").status_code == 404  # nothing half-written
    assert client.put("/v1/kols/mina", json={"handles": {"x": "lena"}}).is_success
    client.put("/v1/kols/lena", json={"handles": {"instagram": "lena2"}})
    assert client.put("/v1/kols/mina", json={"handles": {"instagram": "lena"}}).is_success
    for handle in ("@", " @ ", ""):
        answer = client.put("/v1/kols/zoe", json={"handles": {"instagram": handle}})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")


def test_followers_are_kept_over_time(client: TestClient, clock: TestClock) -> None:
    def counts() -> list[int]:
        found = client.get("/v1/kols/lena/followers").json()["items"]
        return [one["followers"] for one in found]

    client.put("/v1/kols/lena", json={"followers": 100})
    client.put("/v1/kols/lena", json={"followers": 100, "name": "Lena"})
    assert counts() == [100]
    earlier = {"followers": 50, "at": "2026-01-01T00:00:00Z"}
    assert client.post("/v1/kols/lena/followers", json=earlier).json()["followers"] == 100
    clock.advance(timedelta(minutes=1))
    later = {"followers": 120}
    assert client.post("/v1/kols/lena/followers", json=later).json()["followers"] == 120
    assert counts() == [120, 100, 50]
    client.post("/v1/kols/lena/followers", json=earlier | {"followers": 60})
    assert counts() == [120, 100, 60]
    page = client.get("/v1/kols/lena/followers?limit=2").json()
    rest = client.get("/v1/kols/lena/followers", params={"cursor": page["next_cursor"]}).json()
    assert [one["followers"] for one in rest["items"]] == [60]
    assert client.put("/v1/kols/lena", json={}).json()["followers"] is None
    assert counts() == [120, 100, 60]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"followers": -1}, "followers"),
        ({"followers": "12K"}, "followers"),
        ({}, "followers"),
        ({"followers": 1, "at": "2026-03-11T00:00:00Z"}, "at"),
        ({"followers": 1, "at": "0001-01-01T00:00:00Z"}, "at"),
        ({"followers": 1, "at": "2026-03-01T00:00:00"}, "at"),
    ],
)
def test_a_bad_number_of_followers_names_its_field(
    client: TestClient, body: dict[str, Any], field: str
) -> None:
    assert client.post("/v1/kols/lena/followers", json={"followers": 1}).status_code == 404
    client.put("/v1/kols/lena", json={})
    answer = client.post("/v1/kols/lena/followers", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
