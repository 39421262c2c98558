"""People: what each role may do, that what they do bears their name, what ends their sessions."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from serving.access.principal import Principal
from serving.access.session_cookie import SESSION
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.access.browsing import PASSWORD, BrowserClient, faults
from tests.serving.conftest import NOW

Add = Callable[..., dict[str, Any]]
MAI = "mai@pr.example"
SILENCE = {"max_severity": "warning", "ends_at": "2026-03-11T12:00:00Z", "reason": "launch"}


def signed_in(browser: BrowserClient, email: str = MAI) -> BrowserClient:
    found = BrowserClient(browser.client, {})
    assert found.sign_in(email).status_code == 303
    return found


def test_a_person_is_added_listed_and_found(
    anybody: TestClient, admin: dict[str, str], add: Add, clock: TestClock
) -> None:
    made = add("Mai", "manager")
    clock.advance(timedelta(minutes=1))
    add("Linh", "viewer", with_password=False)
    found = anybody.get("/v1/people", headers=admin, params={"limit": 1}).json()
    after = {"limit": 1, "cursor": found["next_cursor"]}
    more = anybody.get("/v1/people", headers=admin, params=after).json()
    (mai,), (linh,) = found["items"], more["items"]
    assert more["next_cursor"] is None
    assert (mai["email"], mai["role"], mai["brands"], mai["created_by"]) == (
        MAI, "manager", None, "admin",
    )  # fmt: skip
    assert (mai["has_password"], linh["has_password"]) == (True, False)
    for key in (made["person_id"], "MAI@pr.example"):
        assert anybody.get(f"/v1/people/{key}", headers=admin).json() == mai
    assert anybody.get("/v1/people/nobody", headers=admin).status_code == 404
    assert "argon2" not in json.dumps(found)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"email": "MAI@PR.example"}, 409),
        ({"name": "  mai "}, 409),
        ({"name": "Ｍａｉ"}, 409),
        ({"name": "M\u200bai"}, 409),
        ({"name": "\u202eiaM"}, 422),
        ({"name": "Mai\x9b"}, 422),
        ({"name": ""}, 422),
        ({"email": "no address"}, 422),
        ({"email": "a@b@c"}, 422),
        ({"role": "owner"}, 422),
        ({"brands": ["unknown"]}, 422),
        ({"role": "admin", "brands": []}, 422),
        ({"oidc_subject": "s"}, 422),
        ({"password": "x"}, 422),
    ],
)
def test_a_person_who_is_not_right_is_refused(
    anybody: TestClient, admin: dict[str, str], add: Add, change: dict[str, Any], status: int
) -> None:
    add()
    body = {"email": "an@pr.example", "name": "An", "role": "viewer"} | change
    answer = anybody.post("/v1/people", json=body, headers=admin)
    assert answer.status_code == status, answer.text
    assert len(anybody.get("/v1/people", headers=admin).json()["items"]) == 1


@pytest.mark.parametrize("name", ["Mai", "mai", "M\u200bai"])
def test_a_key_never_has_the_name_of_a_person(
    anybody: TestClient, admin: dict[str, str], add: Add, name: str
) -> None:
    """What it does would look like what they do."""
    mai = add(with_password=False)
    linh = add("Linh", with_password=False)
    key = {"name": name, "scopes": ["act"]}
    refused = anybody.post("/v1/keys", json=key, headers=admin)
    assert (refused.status_code, refused.json()["field"]) == (409, "name")
    crm = anybody.post("/v1/keys", json=key | {"name": "crm"}, headers=admin).json()
    person = {"email": "crm@pr.example", "name": "CRM", "role": "viewer"}
    refused = anybody.post("/v1/people", json=person, headers=admin)
    assert (refused.status_code, refused.json()["field"]) == (409, "name")
    path = f"/v1/people/{linh['person_id']}"
    assert anybody.patch(path, json={"name": "crm"}, headers=admin).status_code == 409
    anybody.post(f"/v1/keys/{crm['key_id']}/revoke", headers=admin)
    assert anybody.patch(path, json={"name": "crm"}, headers=admin).status_code == 200
    assert mai["name"] == "Mai"


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", ""), ("responder", "s"), ("manager", "sk"), ("admin", "skpc")],
)
def test_each_role_may_do_what_it_says(
    browser: BrowserClient, add: Add, role: str, may: str
) -> None:
    add(role=role)
    mai = signed_in(browser)
    assert mai.send("GET", "/v1/alerts").status_code == 200
    comment = {"platform": "x", "comment_id": "1", "kol_id": "lena", "text": "hi"}
    comment["created_at"] = NOW.isoformat()
    for letter, method, path, body in (
        ("s", "POST", "/v1/silences", SILENCE),
        ("k", "PUT", "/v1/kols/lena", {"name": "Lena"}),
        ("p", "POST", "/v1/people", {"email": "x@pr.example", "name": "X", "role": "viewer"}),
        ("c", "POST", "/v1/comments", [comment]),
    ):
        status = mai.send(method, path, json=body).status_code
        assert (status < 300) == (letter in may), (path, status)
        assert letter in may or status == 403


def test_what_people_do_bears_their_name_and_no_other(
    browser: BrowserClient, add: Add, admin: dict[str, str]
) -> None:
    add(role="manager")
    mai = signed_in(browser)
    made = mai.send("POST", "/v1/silences", json=SILENCE).json()
    assert made["created_by"] == "Mai"
    other = mai.send("POST", "/v1/silences", json=SILENCE | {"actor": "Linh"})
    assert (other.status_code, other.json()["field"]) == (422, "actor")
    ended = mai.send("POST", f"/v1/silences/{made['silence_id']}/expire", json={})
    assert ended.json()["expired_by"] == "Mai"
    mai.send("PUT", "/v1/kols/lena", json={"name": "Lena"})
    policy = mai.send("PUT", "/v1/kols/lena/policy", json={"sensitivity": 2})
    assert policy.json()["changes"][0]["actor"] == "Mai"
    entries = browser.client.get("/v1/audit", headers=admin).json()["items"]
    by_mai = {one["action"] for one in entries if one["principal_name"] == "Mai"}
    assert {"add_silence", "expire_silence", "put_policy", "sign_in"} <= by_mai


def test_a_role_counts_from_the_next_request_on(
    browser: BrowserClient, add: Add, admin: dict[str, str]
) -> None:
    add()
    mai = signed_in(browser)
    assert mai.send("POST", "/v1/silences", json=SILENCE).status_code == 201
    changed = browser.client.patch(f"/v1/people/{MAI}", json={"role": "viewer"}, headers=admin)
    assert changed.json()["role"] == "viewer"
    assert mai.send("POST", "/v1/silences", json=SILENCE).status_code == 403


def test_a_disabled_account_ends_every_session(
    browser: BrowserClient, add: Add, admin: dict[str, str]
) -> None:
    add()
    mai = signed_in(browser)
    answer = browser.client.post(f"/v1/people/{MAI}/disable", headers=admin).json()
    assert (answer["disabled_by"], answer["sessions"]) == ("admin", 0)
    assert mai.send("GET", "/v1/alerts").status_code == 401
    refused = mai.sign_in(MAI)
    assert faults(refused) == ["The e-mail address or the password is wrong."]
    assert browser.client.post(f"/v1/people/{MAI}/reset-password", headers=admin).status_code == 409
    browser.client.post(f"/v1/people/{MAI}/enable", headers=admin)
    assert mai.send("GET", "/v1/alerts").status_code == 401
    assert mai.sign_in(MAI).status_code == 303


def test_a_disabled_account_has_no_session_even_if_none_was_ended(
    browser: BrowserClient, add: Add
) -> None:
    add()
    mai = signed_in(browser)
    people = browser.client.app.state.service.access.accounts.people  # type: ignore[attr-defined]
    assert browser.client.portal is not None
    person = people.get(MAI)
    browser.client.portal.call(lambda: people.change(person.person_id, disabled_at=NOW))
    assert mai.send("GET", "/v1/alerts").status_code == 401


def test_a_reset_password_ends_every_session_and_the_former_password(
    browser: BrowserClient, add: Add, admin: dict[str, str]
) -> None:
    add()
    mai = signed_in(browser)
    new = browser.client.post(f"/v1/people/{MAI}/reset-password", headers=admin).json()
    assert mai.send("GET", "/v1/alerts").status_code == 401
    assert mai.sign_in(MAI, PASSWORD).status_code == 401
    page = mai.sign_in(MAI, new["password"])
    assert "Choose your password" in page.text
    assert "set-cookie" not in page.headers


def test_an_admin_signs_a_person_out_everywhere(
    browser: BrowserClient, add: Add, admin: dict[str, str]
) -> None:
    add()
    mai, phone = signed_in(browser), signed_in(browser)
    answer = browser.client.post(f"/v1/people/{MAI}/sign-out", headers=admin)
    assert answer.json() == {"sessions": 2}
    assert mai.send("GET", "/v1/alerts").status_code == 401
    assert phone.send("GET", "/v1/alerts").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/disable", None), ("PATCH", "", {"role": "viewer"})],
)
def test_an_admin_does_not_lock_themselves_out(
    browser: BrowserClient, add: Add, method: str, path: str, body: Any
) -> None:
    add(role="admin")
    mai = signed_in(browser)
    assert mai.send(method, f"/v1/people/{MAI}{path}", json=body).status_code == 409
    assert mai.send("GET", "/v1/people").status_code == 200


def test_a_person_sees_the_brands_that_they_belong_to(
    browser: BrowserClient, add: Add, admin: dict[str, str]
) -> None:
    client = browser.client
    for brand, kol in (("acme", "lena"), ("zenith", "seo")):
        client.put(f"/v1/kols/{kol}", json={}, headers=admin)
        client.put(f"/v1/brands/{brand}", json={"kols": [kol]}, headers=admin)
    add(brands=["acme"])
    mai = signed_in(browser)

    def seen() -> list[str]:
        return [one["brand"] for one in mai.send("GET", "/v1/brands").json()["items"]]

    def change(**body: Any) -> int:
        return client.patch(f"/v1/people/{MAI}", json=body, headers=admin).status_code

    assert seen() == ["acme"]
    assert "acme" in mai.get("/account").text
    assert change(role="admin") == 422  # with a limit that they could lift
    assert change(brands=["acme", "zenith"]) == 200
    assert seen() == ["acme", "zenith"]
    assert change(brands=[]) == 200
    assert seen() == []
    assert change(brands=["acme"]) == 200
    client.delete("/v1/brands/acme", headers=admin)
    client.put("/v1/brands/acme", json={"kols": ["lena"]}, headers=admin)
    assert seen() == []  # a brand of the same name is another one
    assert change(brands=None) == 200
    assert seen() == ["acme", "zenith"]


def test_what_lasts_ends_with_the_session_and_with_what_may_be_seen(
    browser: BrowserClient, add: Add, admin: dict[str, str]
) -> None:
    client = browser.client
    access = client.app.state.service.access  # type: ignore[attr-defined]
    add()

    authenticator = access.authenticators[1]

    def principal() -> Principal:
        cookie = f"{SESSION}={signed_in(browser).cookies[SESSION]}"
        scope = {"type": "http", "scheme": "http", "method": "GET"}
        connection = HTTPConnection(scope | {"headers": [(b"cookie", cookie.encode())]})
        assert client.portal is not None
        found: Principal = client.portal.call(authenticator.authenticate, connection)
        assert authenticator.is_current(found)
        return found

    for method, path, body in (
        ("PATCH", "", {"role": "viewer"}),
        ("PATCH", "", {"brands": []}),
        ("POST", "/sign-out", None),
        ("POST", "/disable", None),
    ):
        current = principal()
        client.request(method, f"/v1/people/{MAI}{path}", json=body, headers=admin)
        assert not authenticator.is_current(current), path


def test_people_and_their_sessions_survive_a_restart(
    browser: BrowserClient, add: Add, settings: Settings, classifier: Any, clock: TestClock
) -> None:
    add()
    mai = signed_in(browser)
    browser.client.__exit__()
    with TestClient(create_app(settings, classifier=classifier, clock=clock)) as later:
        mai.client = later
        assert mai.send("GET", "/v1/alerts").status_code == 200
        assert mai.sign_in(MAI).status_code == 303
