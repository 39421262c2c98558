"""ETags: what has not changed is not sent again, and two editors do not overwrite each other."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from serving.storage.brand_store import BrandStore

Item = Callable[..., dict[str, Any]]
PERSON = {"email": "a@b.example", "name": "Ann Lee", "role": "viewer"}


def test_what_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    client.put("/v1/kols/lena", json={})
    for path in ("/v1/kols", "/v1/kols/lena", "/v1/alerts", "/v1/routing", "/v1/brands"):
        first = client.get(path)
        etag = first.headers["etag"]
        for known in (etag, f'"x", W/{etag}', "*"):
            same = client.get(path, headers={"If-None-Match": known})
            assert (same.status_code, same.content) == (304, b"")
            assert same.headers["etag"] == etag
        assert client.get(path, headers={"If-None-Match": '"x"'}).content == first.content
    client.put("/v1/kols/lena", json={"name": "Lena"})
    changed = client.get("/v1/kols/lena", headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()["name"]) == (200, "Lena")


def test_errors_and_streams_have_no_etag(client: TestClient) -> None:
    assert "etag" not in client.get("/v1/kols/nobody").headers
    assert "etag" not in client.get("/v1/audit.csv").headers
    assert "etag" not in client.post("/v1/score", json={"texts": ["x"]}).headers


CHANGES = (
    ("PUT", "/v1/kols/lena", {"name": "A"}, {"name": "B"}),
    (
        "PUT",
        "/v1/kols/lena/policy",
        {"sensitivity": 2, "actor": "a"},
        {"sensitivity": 3, "actor": "a"},
    ),
    ("PUT", "/v1/brands/acme", {"kols": ["lena"]}, {"kols": []}),
    ("PATCH", "/v1/people/a@b.example", {"name": "Ann L."}, {"name": "Anna"}),
)


def test_two_editors_do_not_overwrite_each_other(client: TestClient) -> None:
    client.put("/v1/kols/lena", json={})
    client.put("/v1/brands/acme", json={"kols": []})
    client.post("/v1/people", json=PERSON)
    for method, path, one, other in CHANGES:
        read = client.get(path).headers["etag"]
        first = client.request(method, path, json=one, headers={"If-Match": read})
        assert first.status_code == 200, first.text
        late = client.request(method, path, json=other, headers={"If-Match": read})
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed"), path
        assert "Now it is {" in late.json()["detail"]
        now = client.get(path).headers["etag"].strip('"')
        assert now.partition("-")[0] == late.headers["etag"].strip('"').partition("-")[0]
        weak = f'"x", W/{late.headers["etag"]}'  # as a proxy that compresses makes it
        assert client.request(method, path, json=other, headers={"If-Match": weak}).is_success
        assert client.request(method, path, json=one, headers={"If-Match": "*"}).is_success
        assert client.request(method, path, json=other).is_success


def test_what_somebody_has_edited_is_not_deleted(client: TestClient) -> None:
    client.put("/v1/kols/lena", json={})
    client.put("/v1/brands/acme", json={"kols": []})
    for path, body in (
        ("/v1/brands/acme", {"kols": ["lena"]}),
        ("/v1/kols/lena", {"name": "L"}),
    ):
        read = client.get(path).headers["etag"]
        changed = client.put(path, json=body).headers["etag"]
        assert client.delete(path, headers={"If-Match": read}).status_code == 412
        assert client.get(path).status_code == 200
        assert client.delete(path, headers={"If-Match": changed}).is_success


def test_what_is_not_there_has_no_version(client: TestClient) -> None:
    for given in ("*", '"x"'):
        answer = client.put("/v1/kols/new", json={}, headers={"If-Match": given})
        assert answer.status_code == 412
        assert "etag" not in answer.headers
    assert client.get("/v1/kols/new").status_code == 404


def test_a_brand_that_is_there_is_not_added_again(client: TestClient) -> None:
    client.put("/v1/kols/lena", json={})
    path, new = "/v1/brands/acme", {"If-None-Match": "*"}
    assert client.put(path, json={"kols": ["lena"]}, headers=new).json()["kols"] == ["lena"]
    late = client.put(path, json={"kols": []}, headers=new | {"Idempotency-Key": "k"})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert "already" in late.json()["detail"]
    assert client.get(path).json()["kols"] == ["lena"]
    wrong = client.put(path, json={"kols": []}, headers={"If-None-Match": '"x"'})
    assert wrong.status_code == 422
    client.delete(path)
    assert client.put(
        path, json={"kols": []}, headers=new | {"Idempotency-Key": "k"}
    ).is_success  # a refusal is not kept as the answer


def test_a_comment_is_no_edit(
    client: TestClient, item: Item, processed: Callable[[], None]
) -> None:
    client.put("/v1/kols/lena", json={})
    read = client.get("/v1/kols/lena").headers["etag"]
    client.post("/v1/comments", json=item())
    processed()
    assert client.get("/v1/kols/lena", headers={"If-None-Match": read}).status_code == 200
    answer = client.put("/v1/kols/lena", json={"name": "L"}, headers={"If-Match": read})
    assert answer.status_code == 200


async def test_of_two_edits_at_once_one_is_refused(
    settings: Settings,
    classifier: SentimentClassifier,
    clock: TestClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = BrandStore.put

    async def slow(self: BrandStore, *args: Any) -> None:
        await asyncio.sleep(0.05)  # both have read the brand by then, without a lock
        await real(self, *args)

    monkeypatch.setattr(BrandStore, "put", slow)
    app = create_app(settings, classifier=classifier, clock=clock)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        for kol in "abc":
            await client.put(f"/v1/kols/{kol}", json={})
        etag = (await client.put("/v1/brands/acme", json={"kols": ["a"]})).headers["etag"]
        answers = await asyncio.gather(
            *(
                client.put("/v1/brands/acme", json={"kols": [kol]}, headers={"If-Match": etag})
                for kol in "bc"
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
