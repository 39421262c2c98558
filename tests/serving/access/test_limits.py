"""What a limited key sees is looked up at each request."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.refused_requests import network_of
from serving.errors import StoreError
from serving.storage.brand_store import BrandStore
from tests.serving.access.conftest import MakeKey, bearer


def brands(client: TestClient, key: dict[str, str]) -> dict[str, list[str]]:
    items = client.get("/v1/brands", headers=key).json()["items"]
    return {one["brand"]: one["kols"] for one in items}


def test_the_kols_of_a_key_are_those_of_its_brands_now(
    anybody: TestClient, admin: dict[str, str], make_key: MakeKey
) -> None:
    def put(brand: str, *kols: str) -> None:
        anybody.put(f"/v1/brands/{brand}", json={"kols": list(kols)}, headers=admin)

    for kol in ("lena", "mina", "zoe"):
        anybody.put(f"/v1/kols/{kol}", json={}, headers=admin)
    put("acme", "lena")
    put("rival", "zoe")
    key = make_key("read", "manage", kols=["mina"], brands=["acme"])
    assert brands(anybody, key) == {"acme": ["lena"]}
    put("acme", "lena", "mina", "zoe")
    assert brands(anybody, key) == {"acme": ["lena", "mina", "zoe"], "rival": ["zoe"]}
    put("acme", "lena")
    answer = anybody.post("/v1/kols/lena/rename", json={"new_id": "lena-park"}, headers=admin)
    assert answer.status_code == 200
    assert brands(anybody, key) == {"acme": ["lena-park"]}
    assert anybody.delete("/v1/brands/acme", headers=admin).status_code == 204
    put("acme", "zoe")  # the same name again is not the same brand
    assert brands(anybody, key) == {}
    assert anybody.get("/v1/brands/rival", headers=key).status_code == 404
    keys = anybody.get("/v1/keys", headers=admin).json()["items"]
    shown: dict[str, Any] = next(one for one in keys if one["name"] != "admin")
    assert (shown["kols"], shown["brands"]) == (["mina"], [])
    rotated = anybody.post(f"/v1/keys/{shown['key_id']}/rotate", json={}, headers=admin).json()
    assert brands(anybody, bearer(rotated["key"])) == {}  # the new key sees no more than the former
    for method, path in (("PUT", "/v1/brands/own"), ("DELETE", "/v1/brands/acme")):
        refused = anybody.request(method, path, json={"kols": ["zoe"]}, headers=key)
        assert refused.status_code == 403  # it would lift its own limit


def test_a_brand_is_deleted_for_people_before_its_name_is_free(
    anybody: TestClient,
    admin: dict[str, str],
    add: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a stop between the two lets them see the next brand of that name."""

    async def refuse(_self: BrandStore, _name: str) -> None:
        raise StoreError("no")

    anybody.put("/v1/brands/acme", json={"kols": []}, headers=admin)
    mai = add("Mai", "viewer", brands=["acme"], with_password=False)
    with monkeypatch.context() as patch:
        patch.setattr(BrandStore, "delete", refuse)
        assert anybody.delete("/v1/brands/acme", headers=admin).status_code == 503
    shown = anybody.get(f"/v1/people/{mai['person_id']}", headers=admin).json()
    assert shown["brands"] == []
    assert anybody.delete("/v1/brands/acme", headers=admin).status_code == 204


@pytest.mark.parametrize(
    ("address", "limited"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),  # not all IPv4 clients together
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::2", "2001:db8::/64"),
        (None, "unknown"),
    ],
)
def test_an_address_or_the_network_of_one_host_is_limited(
    address: str | None, limited: str
) -> None:
    assert network_of(address) == limited
