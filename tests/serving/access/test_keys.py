"""API keys: made, shown once, checked, limited, revoked, rotated."""

import hashlib
import logging
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access import key as key_module
from serving.access.key import ApiKey, new_key, parse_key
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.access.conftest import MakeKey, bearer, id_of
from tests.serving.conftest import NOW
from tests.serving.test_clock import HostClocks


def kols(client: TestClient, headers: dict[str, str]) -> int:
    return client.get("/v1/kols", headers=headers).status_code


def stored(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))


def test_a_key_is_shown_once_and_only_its_hash_is_stored(
    anybody: TestClient, admin: dict[str, str], tmp_path: Path
) -> None:
    answer = anybody.post("/v1/keys", json={"name": "bot", "scopes": ["read"]}, headers=admin)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    key = parse_key(answer.json()["key"])
    assert key is not None
    assert kols(anybody, bearer(key.written)) == 200
    for path in ("/v1/keys", f"/v1/keys/{key.key_id}", "/v1/audit", "/v1/audit.csv"):
        shown = anybody.get(path, headers=admin)
        assert shown.status_code == 200
        assert key.key_id in shown.text
        assert key.secret not in shown.text
        assert key.secret_hash not in shown.text
    assert key.secret.encode() not in stored(tmp_path)
    with sqlite3.connect(tmp_path / "test.db") as connection:
        hashes = dict(connection.execute("SELECT key_id, secret_hash FROM api_keys"))
    assert hashes[key.key_id] == hashlib.sha256(key.secret.encode()).hexdigest()


def test_a_key_has_256_random_bits() -> None:
    made = [new_key() for _ in range(50)]
    assert len({key.secret for key in made}) == 50
    assert {len(key.secret) for key in made} == {43}
    assert all(parse_key(key.written) == key for key in made)
    assert made[0].secret not in repr(made[0])


NO_KEYS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer gsk_",
    "Bearer {key}x",
    "Bearer {key} {key}",
    "Basic {key}",
    "{key}",
    "Bearer gsk_000000000000_{secret}",
    "Bearer {other}",
]


def test_what_is_no_key_is_refused_with_one_answer(anybody: TestClient, make_key: MakeKey) -> None:
    key = make_key("read")["Authorization"].removeprefix("Bearer ")
    secret = key[len("gsk_000000000000_") :]
    other = key[: -len(secret)] + ("A" * 43)
    for header in NO_KEYS:
        given = header.format(key=key, secret=secret, other=other)
        answer = anybody.get("/v1/kols", headers={"Authorization": given})
        assert answer.status_code == 401, header
        assert "the key is not valid" in answer.json()["detail"]
    assert kols(anybody, bearer(key)) == 200


def test_an_unknown_id_costs_the_same_comparison(
    anybody: TestClient, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether an id exists shows neither in the answer nor in the work that it takes."""
    key = make_key("read")["Authorization"].removeprefix("Bearer ")
    compared: list[str] = []
    real = ApiKey.matches

    def matches(self: ApiKey, secret_hash: str) -> bool:
        compared.append(self.key_id)
        return real(self, secret_hash)

    monkeypatch.setattr(ApiKey, "matches", matches)
    wrong = [f"gsk_{'0' * 12}_{'A' * 43}", f"{key[:17]}{'A' * 43}"]
    answers = [anybody.get("/v1/kols", headers=bearer(one)) for one in wrong]
    assert len(compared) == 2
    assert answers[0].json() == answers[1].json()


def test_secrets_are_compared_in_constant_time() -> None:
    assert "hmac.compare_digest" in Path(key_module.__file__).read_text()


def test_an_expired_key_is_refused(
    anybody: TestClient, make_key: MakeKey, clock: TestClock
) -> None:
    key = make_key("read", expires_at=(NOW + timedelta(hours=1)).isoformat())
    clock.advance(timedelta(minutes=59, seconds=59))
    assert kols(anybody, key) == 200
    clock.advance(timedelta(seconds=1))
    answer = anybody.get("/v1/kols", headers=key)
    assert answer.status_code == 401
    assert "has expired" in answer.json()["detail"]


def test_a_clock_that_jumps_neither_ends_nor_revives_a_key(
    settings: Settings, classifier: Any, tmp_path: Path
) -> None:
    host = HostClocks()
    with TestClient(create_app(settings, classifier=classifier, clock=host.clock())) as client:
        admin = bearer((tmp_path / "groundswell-admin.key").read_text().strip())
        ends = (host.wall + timedelta(hours=2)).isoformat()
        body = {"name": "bot", "scopes": ["read"], "expires_at": ends}
        key = bearer(client.post("/v1/keys", json=body, headers=admin).json()["key"])
        host.set_wall(timedelta(days=1))
        assert kols(client, key) == 200
        host.set_wall(timedelta(days=-1))
        host.advance(timedelta(hours=2))
        assert kols(client, key) == 401
        host.set_wall(timedelta(hours=-3))
        assert kols(client, key) == 401


def test_a_key_that_expires_in_the_past_is_not_made(
    anybody: TestClient, admin: dict[str, str]
) -> None:
    body = {"name": "bot", "scopes": ["read"], "expires_at": NOW.isoformat()}
    answer = anybody.post("/v1/keys", json=body, headers=admin)
    assert answer.status_code == 422
    assert answer.json()["field"] == "expires_at"


def test_a_revoked_key_is_refused_at_once_and_after_a_restart(
    anybody: TestClient,
    make_key: MakeKey,
    admin: dict[str, str],
    settings: Settings,
    classifier: Any,
    clock: TestClock,
) -> None:
    key = make_key("read")
    assert kols(anybody, key) == 200
    answer = anybody.post(f"/v1/keys/{id_of(key)}/revoke", headers=admin)
    assert (answer.status_code, answer.json()["usable"]) == (200, False)
    assert kols(anybody, key) == 401
    revoked_at = answer.json()["revoked_at"]
    clock.advance(timedelta(hours=1))
    again = anybody.post(f"/v1/keys/{id_of(key)}/revoke", headers=admin)
    assert again.json()["revoked_at"] == revoked_at
    anybody.__exit__()
    with TestClient(create_app(settings, classifier=classifier, clock=clock)) as later:
        assert kols(later, key) == 401
        assert kols(later, admin) == 200


def test_the_last_admin_key_cannot_be_revoked(
    anybody: TestClient, make_key: MakeKey, admin: dict[str, str]
) -> None:
    own = f"/v1/keys/{id_of(admin)}/revoke"
    assert anybody.post(own, headers=admin).status_code == 409
    make_key("read", "manage")
    assert anybody.post(own, headers=admin).status_code == 409
    other = make_key("admin")
    assert anybody.post(own, headers=admin).status_code == 200
    assert kols(anybody, admin) == 401
    assert anybody.post(f"/v1/keys/{id_of(other)}/revoke", headers=other).status_code == 409


def test_the_last_admin_key_can_be_revoked_once_a_person_is_an_admin(
    anybody: TestClient, admin: dict[str, str], add: Callable[..., dict[str, Any]]
) -> None:
    own = f"/v1/keys/{id_of(admin)}/revoke"
    add("Mai", "manager")
    assert anybody.post(own, headers=admin).status_code == 409
    boss = add("An", "admin")
    person = f"/v1/people/{boss['email']}"
    assert anybody.post(f"{person}/disable", headers=admin).is_success
    assert anybody.post(own, headers=admin).status_code == 409
    assert anybody.post(f"{person}/enable", headers=admin).is_success
    assert anybody.post(own, headers=admin).status_code == 200


def test_a_rotated_key_works_for_the_time_of_grace(
    anybody: TestClient, make_key: MakeKey, admin: dict[str, str], clock: TestClock
) -> None:
    key = make_key("read", "act", name="bot", kols=["lena"])
    answer = anybody.post(
        f"/v1/keys/{id_of(key)}/rotate", json={"grace_seconds": 60}, headers=admin
    )
    new = answer.json()
    assert answer.status_code == 201
    assert (new["name"], new["scopes"], new["kols"]) == ("bot", ["read", "act"], ["lena"])
    assert new["rotated_from"] == id_of(key)
    assert [kols(anybody, one) for one in (key, bearer(new["key"]))] == [200, 200]
    clock.advance(timedelta(seconds=60))
    assert [kols(anybody, one) for one in (key, bearer(new["key"]))] == [401, 200]
    late = anybody.post(f"/v1/keys/{id_of(key)}/rotate", json={}, headers=admin)
    assert late.status_code == 409


def test_grace_never_lets_a_key_live_longer(
    anybody: TestClient, make_key: MakeKey, admin: dict[str, str], clock: TestClock
) -> None:
    key = make_key("read", expires_at=(NOW + timedelta(seconds=30)).isoformat())
    anybody.post(f"/v1/keys/{id_of(key)}/rotate", json={"grace_seconds": 3600}, headers=admin)
    clock.advance(timedelta(seconds=30))
    assert kols(anybody, key) == 401


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"scopes": []}, "scopes"),
    ({"scopes": ["root"]}, "scopes.0"),
    ({"scopes": ["admin"], "kols": ["lena"]}, "body"),
    ({"kols": []}, "kols"),
    ({"brands": []}, "brands"),
    ({"brands": ["nobody"]}, "brands"),
    ({"name": ""}, "name"),
    ({"name": "a\u001b[31mb"}, "name"),
    ({"owner": "x"}, "owner"),
]


def test_a_key_that_cannot_be(anybody: TestClient, admin: dict[str, str]) -> None:
    for change, field in FAULTS:
        body = {"name": "bot", "scopes": ["read"]} | change
        answer = anybody.post("/v1/keys", json=body, headers=admin)
        assert answer.status_code == 422, answer.text
        assert answer.json()["field"] == field


def test_two_usable_keys_never_have_one_name(
    anybody: TestClient, make_key: MakeKey, admin: dict[str, str]
) -> None:
    key = make_key("read", name="bot")
    body = {"name": "bot", "scopes": ["read"]}
    assert anybody.post("/v1/keys", json=body, headers=admin).status_code == 409
    anybody.post(f"/v1/keys/{id_of(key)}/revoke", headers=admin)
    assert anybody.post("/v1/keys", json=body, headers=admin).status_code == 201


def test_keys_are_listed_in_pages_newest_first(
    anybody: TestClient, make_key: MakeKey, admin: dict[str, str], clock: TestClock
) -> None:
    for _ in range(4):
        clock.advance(timedelta(seconds=1))
        make_key("read")
    names: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = anybody.get("/v1/keys", params=query, headers=admin).json()
        names += [key["name"] for key in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == ["tool 3", "tool 2", "tool 1", "tool 0", "admin"]


def test_when_a_key_was_last_used_is_shown_and_kept(
    anybody: TestClient,
    make_key: MakeKey,
    admin: dict[str, str],
    settings: Settings,
    classifier: Any,
    clock: TestClock,
) -> None:
    key = make_key("read")
    path = f"/v1/keys/{id_of(key)}"
    assert anybody.get(path, headers=admin).json()["last_used_at"] is None
    clock.advance(timedelta(hours=1))
    kols(anybody, key)
    used = anybody.get(path, headers=admin).json()["last_used_at"]
    assert used == "2026-03-10T13:00:00Z"
    anybody.__exit__()
    with TestClient(create_app(settings, classifier=classifier, clock=clock)) as later:
        assert later.get(path, headers=admin).json()["last_used_at"] == used


def test_keys_are_never_logged(
    anybody: TestClient, make_key: MakeKey, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        key = make_key("read")
        written = key["Authorization"].removeprefix("Bearer ")
        kols(anybody, key)
        kols(anybody, bearer(written + "x"))
    assert written not in caplog.text
