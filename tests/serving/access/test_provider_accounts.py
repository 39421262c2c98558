"""As whom the OpenID provider knows a person can be changed, for providers and accounts change."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from serving.access.oidc_provider import Identity
from serving.access.sign_in import OTHER_SUBJECT, SignInRefused
from serving.settings import Settings
from serving.storage.person_record import PersonRecord

ISSUER = "https://id.example"
CONNECTION = HTTPConnection(
    {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("192.0.2.1", 1)}
)
Add = Callable[..., dict[str, Any]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    provider = {
        "oidc_issuer": ISSUER,
        "oidc_client_id": "gs",
        "public_url": "http://testserver",
    }
    return settings.model_copy(update=provider)


def came(client: TestClient, subject: str) -> PersonRecord:
    """Who comes from the provider as that account."""
    accounts = cast("FastAPI", client.app).state.service.access.accounts
    identity = Identity(ISSUER, subject, "mai@pr.example")
    assert client.portal is not None
    found: PersonRecord = client.portal.call(accounts.sign_in.with_identity, CONNECTION, identity)
    return found


def test_a_person_comes_as_another_account_once_an_admin_says_so(
    anybody: TestClient, admin: dict[str, str], add: Add
) -> None:
    mai = add("Mai", "viewer", with_password=False, oidc_subject="former")
    path = f"/v1/people/{mai['person_id']}"
    assert came(anybody, "former").person_id == mai["person_id"]
    with pytest.raises(SignInRefused, match=OTHER_SUBJECT):
        came(anybody, "new")
    changed = anybody.patch(path, json={"oidc_subject": None}, headers=admin)
    assert (changed.status_code, changed.json()["at_provider"]) == (200, False)
    assert came(anybody, "new").person_id == mai["person_id"]
    with pytest.raises(SignInRefused):
        came(anybody, "former")
    assert anybody.patch(path, json={"oidc_subject": "third"}, headers=admin).status_code == 200
    assert came(anybody, "third").person_id == mai["person_id"]
    assert anybody.patch(path, json={"name": "Mai P"}, headers=admin).json()["at_provider"]


def test_sessions_of_the_former_account_end(
    anybody: TestClient, admin: dict[str, str], add: Add
) -> None:
    mai = add("Mai", "viewer", with_password=False, oidc_subject="former")
    access = cast("FastAPI", anybody.app).state.service.access
    person = came(anybody, "former")
    assert anybody.portal is not None
    anybody.portal.call(access.accounts.sign_in.start_session, CONNECTION, person, "oidc", None)
    path = f"/v1/people/{mai['person_id']}"
    assert anybody.get(path, headers=admin).json()["sessions"] == 1
    anybody.patch(path, json={"oidc_subject": None}, headers=admin)
    assert anybody.get(path, headers=admin).json()["sessions"] == 0


def test_two_people_never_have_one_account_at_the_provider(
    anybody: TestClient, admin: dict[str, str], add: Add
) -> None:
    add("Mai", "viewer", with_password=False, oidc_subject="taken")
    linh = add("Linh", "viewer", with_password=False)
    path = f"/v1/people/{linh['person_id']}"
    answer = anybody.patch(path, json={"oidc_subject": "taken"}, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
