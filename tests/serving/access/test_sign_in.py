"""Signing in and out, and the attacks on it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.sessions import OVERLAP, ROTATED_AFTER
from serving.clock import TestClock
from tests.serving.access.browsing import ORIGIN, PASSWORD, BrowserClient, faults, led_to

SESSION = "groundswell_session"
MAI = "mai@pr.example"


def audit(client: TestClient, admin: dict[str, str], action: str) -> list[dict[str, Any]]:
    found = client.get("/v1/audit", params={"limit": 1000}, headers=admin).json()["items"]
    return [entry for entry in found if entry["action"] == action]


def test_a_page_without_a_session_leads_to_sign_in_and_back(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    add()
    first = browser.get("/account?language=vi")
    assert first.headers["location"] == "./sign-in?next=%2Faccount%3Flanguage%3Dvi"
    page = browser.get(led_to(first).removeprefix(ORIGIN))
    assert page.status_code == 200
    assert 'name="next" value="/account?language=vi"' in page.text
    back = browser.sign_in(MAI, next="/account?language=vi")
    assert led_to(back) == f"{ORIGIN}/account?language=vi"
    assert "Mai" in browser.get("/account?language=vi").text


def test_from_below_a_folder_it_leads_there_too(browser: BrowserClient) -> None:
    """Relative, because a proxy may serve all this below a prefix."""
    answer = browser.get("/alerts/a%2Fb?x=1")
    assert led_to(answer) == f"{ORIGIN}/sign-in?next=%2Falerts%2Fa%252Fb%3Fx%3D1"
    assert answer.headers["location"].startswith("./../")
    form = browser.post("/alerts/abc?language=vi", action="note", text="x")
    assert led_to(form) == f"{ORIGIN}/sign-in?next=%2Falerts%2Fabc%3Flanguage%3Dvi"


def test_programs_are_refused_and_not_led_anywhere(
    anybody: TestClient, browser: BrowserClient
) -> None:
    assert anybody.get("/account").status_code == 401
    assert browser.get("/v1/alerts").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/sign-in?next=/sign-in",
        "/" + "a" * 2001,
        "",
    ],
)
def test_a_sign_in_leads_to_no_other_site(
    browser: BrowserClient, add: Callable[..., Any], path: str
) -> None:
    add()
    page = browser.client.get("/sign-in", params={"next": path})
    assert 'name="next" value=""' in page.text
    assert led_to(browser.sign_in(MAI, next=path)) == f"{ORIGIN}/account"


def test_a_path_with_an_address_in_it_stays_here(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    add()
    answer = browser.sign_in(MAI, next="/https://evil.example/x")
    assert answer.headers["location"] == "./https://evil.example/x"
    assert led_to(answer).startswith(f"{ORIGIN}/")


@pytest.mark.parametrize("email", [MAI, "nobody@pr.example", "'; --", "\u202emai@pr.example"])
def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    browser: BrowserClient, add: Callable[..., Any], email: str
) -> None:
    add()
    answer = browser.sign_in(email, "wrong password")
    assert answer.status_code == 401
    assert faults(answer) == ["The e-mail address or the password is wrong."]
    assert "set-cookie" not in answer.headers
    vietnamese = browser.post("/sign-in?language=vi", email=email, password="sai mật khẩu")
    assert faults(vietnamese) == ["Địa chỉ email hoặc mật khẩu không đúng."]


def test_sign_ins_and_failures_are_in_the_audit_log(
    browser: BrowserClient, add: Callable[..., Any], admin: dict[str, str]
) -> None:
    add()
    before = len(audit(browser.client, admin, "sign_in"))
    browser.sign_in(MAI, "wrong password")
    browser.sign_in("my secret typed into the wrong field")
    browser.sign_in(MAI)
    done, unknown, wrong = audit(browser.client, admin, "sign_in")[: -before or None]
    assert (done["outcome"], done["principal_name"], done["principal_kind"]) == (
        "done", "Mai", "person",
    )  # fmt: skip
    assert done["detail"] == {"method": "password"}
    assert wrong["outcome"] == unknown["outcome"] == "refused"
    assert wrong["detail"] == {"why": "wrong password", "person": MAI}
    assert unknown["detail"] == {"why": "wrong password"}  # who knows what was typed there
    assert done["address"] == wrong["address"] == "testclient"
    browser.post("/sign-out")
    (out,) = audit(browser.client, admin, "sign_out")
    assert (out["outcome"], out["principal_name"]) == ("done", "Mai")
    everything = browser.client.get("/v1/audit", params={"limit": 1000}, headers=admin).text
    assert PASSWORD not in everything
    assert "my secret" not in everything


def test_attempts_on_an_account_are_limited_whatever_their_address(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    add()
    for number in range(4):  # the first was with the password that was given
        assert browser.sign_in(MAI.upper(), f"guess {number}").status_code == 401
    limited = browser.sign_in(f" {MAI} ")
    assert limited.status_code == 429
    assert int(limited.headers["retry-after"]) >= 1
    assert faults(limited) == ["Too many attempts. Wait a minute, then try again."]
    assert browser.sign_in("linh@pr.example", "guess").status_code == 401


def test_attempts_of_an_address_are_limited_whatever_the_account(browser: BrowserClient) -> None:
    found = [browser.sign_in(f"p{number}@pr.example", "guess").status_code for number in range(32)]
    assert found == [401] * 30 + [429] * 2
    assert browser.get("/sign-in").status_code == 200


def test_the_cookie_is_for_the_browser_only(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    add()
    (header,) = browser.sign_in(MAI).headers.get_list("set-cookie")
    name, *attributes = header.split("; ")
    assert name.startswith(f"{SESSION}=")
    assert set(attributes) == {"Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Lax"}
    value = browser.cookies[SESSION]
    for text in (browser.get("/account").text, browser.client.get("/sign-in").text):
        assert value not in text


def test_a_planted_session_is_not_kept_over_a_sign_in(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    """Session fixation."""
    add()
    add("Mallory")
    mallory = BrowserClient(browser.client, {})
    mallory.sign_in("mallory@pr.example")
    browser.cookies = dict(mallory.cookies)
    browser.sign_in(MAI)
    assert browser.cookies != mallory.cookies
    assert "Mai" in browser.get("/account").text
    assert mallory.get("/account").status_code == 303  # not Mai's session, and none any more


def test_two_cookies_of_one_name_are_none(browser: BrowserClient, add: Callable[..., Any]) -> None:
    """Cookie overwriting: another host of the domain plants its own session beside ours."""
    add()
    add("Mallory")
    mallory = BrowserClient(browser.client, {})
    mallory.sign_in("mallory@pr.example")
    browser.sign_in(MAI)
    own, planted = browser.cookies[SESSION], mallory.cookies[SESSION]
    for first, second, status in ((planted, own, 303), (own, planted, 303), (own, own, 200)):
        cookie = f"a=b; {SESSION}={first}; {SESSION}={second}"
        assert browser.get("/account", cookie=cookie).status_code == status


def test_a_link_signs_nobody_out(browser: BrowserClient, add: Callable[..., Any]) -> None:
    """`<img src="/sign-out">` on any page."""
    add()
    browser.sign_in(MAI)
    for path in ("/sign-out", "/account/sign-out-everywhere", "/account/password"):
        assert browser.get(path).status_code == 405
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-out", "/account/sign-out-everywhere", "/account/password"]
)
def test_another_site_signs_nobody_in_or_out(
    browser: BrowserClient, add: Callable[..., Any], path: str
) -> None:
    add()
    browser.sign_in(MAI)
    kept = dict(browser.cookies)
    for origin in ("https://evil.example", "null", "http://pr.testserver"):
        answer = browser.post(path, origin=origin, email=MAI, password=PASSWORD)
        assert answer.status_code == 403
    assert browser.cookies == kept
    assert browser.get("/account").status_code == 200


def test_a_session_changes_nothing_unless_a_page_of_ours_asks(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    """A request without Origin is one of a program, and programs have keys."""
    add(role="admin")
    browser.sign_in(MAI)
    cookie = f"{SESSION}={browser.cookies[SESSION]}"
    body = {"name": "k", "scopes": ["admin"]}
    silent = browser.client.post("/v1/keys", json=body, headers={"Cookie": cookie})
    assert (silent.status_code, silent.json()["code"]) == (403, "cross_site")
    assert browser.send("POST", "/v1/keys", json=body).status_code == 201


def test_signing_out_ends_the_session_and_not_only_the_cookie(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    add()
    browser.sign_in(MAI)
    kept = dict(browser.cookies)
    answer = browser.post("/sign-out")
    assert "You are signed out." in browser.get(led_to(answer).removeprefix(ORIGIN)).text
    assert browser.cookies == {}
    browser.cookies = kept
    assert browser.get("/account").status_code == 303
    assert browser.send("GET", "/v1/alerts").status_code == 401


def test_signing_out_everywhere(browser: BrowserClient, add: Callable[..., Any]) -> None:
    add()
    phone = BrowserClient(browser.client, {})
    for one in (phone, browser):
        one.sign_in(MAI)
    phone.get("/account")
    page = browser.get("/account")
    assert page.text.count("<li>") == 2
    assert page.text.count("this browser") == 1
    answer = browser.post("/account/sign-out-everywhere")
    assert "signed out everywhere" in browser.get(led_to(answer).removeprefix(ORIGIN)).text
    assert phone.get("/account").status_code == browser.get("/account").status_code == 303


def test_a_password_that_was_given_is_replaced_at_once(
    browser: BrowserClient, anybody: TestClient, admin: dict[str, str]
) -> None:
    body = {"email": "Linh@PR.example", "name": "Linh", "role": "viewer"}
    given = anybody.post("/v1/people", json=body, headers=admin).json()["password"]
    page = browser.sign_in("linh@pr.example", given, next="/docs")
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert 'action="sign-in/password?' in page.text
    fields = {"email": "linh@pr.example", "password": given, "next": "/docs"}
    for new, again, fault in (
        (PASSWORD, PASSWORD + "!", "The two new passwords are not the same."),
        ("linh1234567", "linh1234567", "This password is easily guessed."),
        (given, given, "This password is easily guessed."),
    ):
        refused = browser.post("/sign-in/password", new_password=new, again=again, **fields)
        assert refused.status_code == 422
        assert faults(refused)[0].startswith(fault)
        assert 'action="password?' in refused.text
    done = browser.post("/sign-in/password", new_password=PASSWORD, again=PASSWORD, **fields)
    assert led_to(done) == f"{ORIGIN}/docs"
    assert browser.get("/docs").status_code == 200
    assert BrowserClient(anybody, {}).sign_in("linh@pr.example", given).status_code == 401


def test_a_password_that_was_given_ends_after_a_week(
    browser: BrowserClient, anybody: TestClient, admin: dict[str, str], clock: TestClock
) -> None:
    body = {"email": MAI, "name": "Mai", "role": "viewer"}
    given = anybody.post("/v1/people", json=body, headers=admin).json()["password"]
    clock.advance(timedelta(days=7))
    assert browser.sign_in(MAI, given).status_code == 401
    fields = {"email": MAI, "password": given, "new_password": PASSWORD, "again": PASSWORD}
    assert browser.post("/sign-in/password", **fields).status_code == 422


def test_a_new_password_ends_every_other_session(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    add()
    thief = BrowserClient(browser.client, {})
    for one in (thief, browser):
        one.sign_in(MAI)
    former, new = dict(browser.cookies), "một mật khẩu khác"
    fields = {"new_password": new, "again": new}
    answer = browser.post("/account/password", password=PASSWORD, **fields)
    assert "every other session has ended" in browser.get(led_to(answer).removeprefix(ORIGIN)).text
    assert thief.get("/account").status_code == 303
    browser_before = BrowserClient(browser.client, former)
    assert browser_before.get("/account").status_code == 303  # rotated
    assert thief.sign_in(MAI).status_code == 401


def test_a_new_password_needs_the_one_before(
    browser: BrowserClient, add: Callable[..., Any]
) -> None:
    """Whoever finds a browser that is signed in cannot take the account over."""
    add()
    browser.sign_in(MAI)
    fields = {"new_password": "một mật khẩu khác", "again": "một mật khẩu khác"}
    refused = browser.post("/account/password", password="wrong", **fields)
    assert faults(refused) == ["Your password is wrong."]
    assert browser.get("/account").status_code == 200
    assert BrowserClient(browser.client, {}).sign_in(MAI).status_code == 303


def test_a_session_is_rotated_with_a_page_only(
    browser: BrowserClient, add: Callable[..., Any], clock: TestClock
) -> None:
    add()
    browser.sign_in(MAI)
    first = browser.cookies[SESSION]
    clock.advance(ROTATED_AFTER)
    browser.send("GET", "/v1/alerts")
    assert browser.cookies[SESSION] == first
    page = browser.get("/account")
    assert page.status_code == 200
    second = browser.cookies[SESSION]
    assert second != first
    assert "HttpOnly" in page.headers["set-cookie"]
    assert browser.get("/account").status_code == 200
    clock.advance(OVERLAP + timedelta(minutes=1))
    assert browser.get("/account").status_code == 200
    browser.cookies[SESSION] = first  # a thief's
    assert browser.get("/account").status_code == 303
    browser.cookies[SESSION] = second
    assert browser.get("/account").status_code == 303
