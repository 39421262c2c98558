"""Brands, as limited keys and digests know them."""

from typing import Any

from fastapi.testclient import TestClient

from tests.serving.access.conftest import MakeKey

RAW = {"Content-Type": "application/octet-stream"}
COMMENT = b"platform,comment_id,kol_id,text,created_at\nx,a,lena,fine,2026-03-09T10:00:00Z\n"


def test_a_brand_has_a_digest_without_a_channels_file(
    anybody: TestClient, make_key: MakeKey, admin: dict[str, str]
) -> None:
    for kol_id in ("lena", "zoe"):
        anybody.put(f"/v1/kols/{kol_id}", json={}, headers=admin)
    for brand, kols in (("acme", ["lena"]), ("zenith", ["zoe"])):
        anybody.put(f"/v1/brands/{brand}", json={"kols": kols}, headers=admin)
    key = make_key("read", brands=["acme"])
    found: Any = anybody.get("/v1/digest?brand=acme", headers=key)
    assert found.status_code == 200
    assert [kol["kol_id"] for kol in found.json()["kols"]] == ["lena"]
    hidden = anybody.get("/v1/digest?brand=zenith", headers=key)
    assert hidden.status_code == 404
    assert "acme" in hidden.json()["detail"]
    assert (
        hidden.json()["detail"].replace("zenith", "x")
        == (anybody.get("/v1/digest?brand=x", headers=key).json()["detail"])
    )


def test_an_import_stays_visible_after_its_kol_was_renamed(
    anybody: TestClient, make_key: MakeKey, admin: dict[str, str]
) -> None:
    anybody.put("/v1/kols/lena", json={}, headers=admin)
    key = make_key("ingest", "read", kols=["lena"])
    sent = anybody.post("/v1/imports?name=a.csv", content=COMMENT, headers=key | RAW)
    path = f"/v1/imports/{sent.json()['import_id']}"
    assert anybody.get(path, headers=key).status_code == 200
    renamed = anybody.post("/v1/kols/lena/rename", json={"new_id": "elena"}, headers=admin)
    assert renamed.is_success
    assert anybody.get(path, headers=key).status_code == 200
    assert len(anybody.get("/v1/imports", headers=key).json()["items"]) == 1
    stranger = make_key("ingest", "read", kols=["zoe"])
    assert anybody.get(path, headers=stranger).status_code == 404
