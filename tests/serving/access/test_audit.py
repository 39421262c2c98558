"""The audit log: what was changed, by whom, from where; and it never says what did not happen."""

import asyncio
import csv
import io
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.api import brands as brands_api
from serving.storage.brand_store import BrandStore
from tests.serving.access.conftest import MakeKey, bearer, id_of


def entries(client: TestClient, admin: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/v1/audit", params=query, headers=admin).json()[
        "items"
    ]
    return items


def test_a_change_is_written_with_who_what_and_from_where(
    anybody: TestClient, admin: dict[str, str], make_key: MakeKey
) -> None:
    key = make_key("manage", name="crm")
    anybody.put("/v1/kols/lena", json={}, headers=key)
    answer = anybody.put("/v1/brands/acme", json={"kols": ["lena"]}, headers=key)
    assert answer.status_code == 200
    (entry,) = entries(anybody, admin, action="put_brand")
    assert entry | {"entry_id": 0, "at": ""} == {
        "entry_id": 0,
        "at": "",
        "principal_kind": "key",
        "principal_id": id_of(key),
        "principal_name": "crm",
        "address": "testclient",
        "action": "put_brand",
        "target": "PUT /v1/brands/acme",
        "kols": ["lena"],
        "detail": {},
        "outcome": "done",
        "status": 200,
    }


def test_an_entry_is_there_before_the_change_and_stays_unknown_if_the_service_dies(
    anybody: TestClient,
    admin: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, str]] = []

    async def die(*_: object) -> None:
        with sqlite3.connect(tmp_path / "test.db") as connection:
            seen.extend(connection.execute("SELECT action, outcome FROM audit_log"))
        raise asyncio.CancelledError

    monkeypatch.setattr(BrandStore, "put", die)
    with suppress(asyncio.CancelledError):
        anybody.put("/v1/brands/acme", json={"kols": []}, headers=admin)
    assert seen == [("put_brand", "unknown")]
    with sqlite3.connect(tmp_path / "test.db") as connection:
        assert list(connection.execute("SELECT action, outcome FROM audit_log")) == seen


def test_what_fails_and_what_is_refused_is_not_called_done(
    anybody: TestClient, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    anybody.delete("/v1/brands/nobody", headers=admin)
    anybody.put("/v1/brands/acme", json={"kols": 1}, headers=admin)

    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(BrandStore, "put", fail)
    assert anybody.put("/v1/brands/acme", json={"kols": []}, headers=admin).status_code == 500
    found = [(one["action"], one["outcome"], one["status"]) for one in entries(anybody, admin)]
    assert found == [
        ("put_brand", "failed", None),
        ("put_brand", "refused", 422),
        ("delete_brand", "refused", 404),
    ]


def test_nothing_is_carried_out_that_cannot_be_written_down(
    anybody: TestClient, admin: dict[str, str], tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "test.db") as connection:
        connection.execute("ALTER TABLE audit_log RENAME TO away")
    assert anybody.put("/v1/brands/acme", json={"kols": []}, headers=admin).status_code == 503
    assert anybody.get("/v1/brands", headers=admin).json()["items"] == []


def test_refused_keys_and_forbidden_requests_are_written_down_and_bounded(
    anybody: TestClient, admin: dict[str, str], make_key: MakeKey
) -> None:
    key = make_key("read")
    assert anybody.put("/v1/brands/acme", json={"kols": []}, headers=key).status_code == 403
    wrong = bearer(f"gsk_{id_of(key)}_{'A' * 43}")
    answers = [anybody.get("/v1/kols", headers=wrong) for _ in range(40)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429] * 10
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert anybody.get("/v1/kols", headers=key).status_code == 200  # a valid key is never limited
    refused = entries(anybody, admin, action="use_key", limit=1000)
    assert len(refused) == 30
    assert refused[0]["detail"] == {"why": "the key is not valid", "key_id": id_of(key)}
    assert refused[0]["principal_name"] is None
    (forbidden,) = entries(anybody, admin, action="put_brand")
    assert (forbidden["outcome"], forbidden["status"]) == ("refused", 403)
    assert forbidden["principal_id"] == id_of(key)
    for _ in range(200):
        anybody.put("/v1/brands/acme", json={"kols": []}, headers=key)
    assert len(entries(anybody, admin, action="put_brand", limit=1000)) < 100
    text = anybody.get("/metrics", headers=admin).text
    assert 'groundswell_refused_requests_total{reason="forbidden"} 201.0' in text
    assert 'groundswell_refused_requests_total{reason="unauthenticated"} 40.0' in text


def test_a_target_cannot_change_how_a_line_is_shown(
    anybody: TestClient, admin: dict[str, str]
) -> None:
    anybody.delete("/v1/brands/a%0Aadmin%1B%5B31m%E2%80%AEb", headers=admin)
    (entry,) = entries(anybody, admin)
    assert entry["target"] == "DELETE /v1/brands/a\ufffdadmin\ufffd[31m\ufffdb"


def test_the_export_has_every_entry_and_no_formulas(
    anybody: TestClient, admin: dict[str, str], make_key: MakeKey
) -> None:
    make_key("read", name="=HYPERLINK(1)")
    for _ in range(3):
        anybody.put("/v1/brands/acme", json={"kols": []}, headers=admin)
    text = anybody.get("/v1/audit.csv", headers=admin).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["action"] for row in rows] == [
        "export_audit_log",
        *["put_brand"] * 3,
        "create_key",
    ]
    assert rows[-1]["principal_name"] == "admin"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_the_log_is_read_in_pages(anybody: TestClient, admin: dict[str, str]) -> None:
    for name in ("a", "b", "c"):
        anybody.put(f"/v1/brands/{name}", json={"kols": []}, headers=admin)
    first = anybody.get("/v1/audit", params={"limit": 2}, headers=admin).json()
    query = {"limit": 2, "cursor": first["next_cursor"]}
    last = anybody.get("/v1/audit", params=query, headers=admin).json()
    targets = [one["target"] for one in (*first["items"], *last["items"])]
    assert targets == [f"PUT /v1/brands/{name}" for name in ("c", "b", "a")]
    assert last["next_cursor"] is None


def test_reads_and_comments_are_not_written_down(
    anybody: TestClient, admin: dict[str, str], item: Any
) -> None:
    anybody.get("/v1/kols", headers=admin)
    anybody.post("/v1/comments", json=item(), headers=admin)
    assert entries(anybody, admin) == []
    assert brands_api.router.routes


@pytest.mark.parametrize(("given", "stored"), [(None, "crm"), ("mai", "mai (via crm)")])
def test_a_change_bears_the_name_of_the_key(
    anybody: TestClient, make_key: MakeKey, given: str | None, stored: str
) -> None:
    key = make_key("manage", "read", name="crm")
    anybody.put("/v1/kols/lena", json={}, headers=key)
    body = {"sensitivity": 2.0} | ({"actor": given} if given else {})
    policy = anybody.put("/v1/kols/lena/policy", json=body, headers=key).json()
    assert policy["overridden"]["sensitivity"]["actor"] == stored


def test_the_id_of_an_author_is_never_in_the_log(
    anybody: TestClient, admin: dict[str, str], make_key: MakeKey
) -> None:
    reader = make_key("read", name="reader")
    for path in ("/v1/authors/jane/doe", "/v1/authors/jane%20doe/export"):
        assert anybody.get(path, headers=reader).status_code in (403, 405)
        assert anybody.get(path, headers={"Authorization": "Bearer gsk_no_no"}).status_code == 401
    assert anybody.get("/v1/authors/jane/export", headers=admin).status_code == 200
    erased = anybody.delete("/v1/authors/jane/doe", headers=admin).json()
    found = entries(anybody, admin)
    assert "jane" not in str(found)
    (entry,) = [entry for entry in found if entry["action"] == "delete_author"]
    assert entry["target"] == "DELETE /v1/authors/…"
    assert entry["detail"] == {"erasure": str(erased["erasure_id"])}
    assert "GET /v1/authors/…/export" in [entry["target"] for entry in found]
