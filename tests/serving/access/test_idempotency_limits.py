"""Whoever sees other KOLs than before does not get a former answer."""

from fastapi.testclient import TestClient

from tests.serving.access.conftest import MakeKey


def test_a_changed_limit_hides_the_first_answer(
    anybody: TestClient, admin: dict[str, str], make_key: MakeKey
) -> None:
    for kol in ("lena", "mina"):
        anybody.put(f"/v1/kols/{kol}", json={}, headers=admin)
    anybody.put("/v1/brands/acme", json={"kols": ["lena"]}, headers=admin)
    headers = make_key("manage", brands=["acme"]) | {"Idempotency-Key": "k"}
    path = "/v1/kols/lena/archive"
    first = anybody.post(path, json={}, headers=headers)
    assert first.status_code == 200, first.text
    again = anybody.post(path, json={}, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    anybody.put("/v1/brands/acme", json={"kols": ["mina"]}, headers=admin)
    hidden = anybody.post(path, json={}, headers=headers)
    assert (hidden.status_code, hidden.json()["code"]) == (409, "already_done")
    assert "lena" not in hidden.text
    other = make_key("manage") | {"Idempotency-Key": "k"}
    assert "idempotency-replayed" not in anybody.post(path, json={}, headers=other).headers
