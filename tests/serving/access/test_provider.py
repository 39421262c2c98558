"""Signing in at a real OpenID provider, and the attacks on the way there and back."""

from collections.abc import Iterator

import httpx
import pytest

from tests.serving.access.provider_process import (
    SignInWorld,
    authorize,
    faults_of,
    provider_form,
    sign_in_world,
)

NOT_TRUSTED = ["What your provider answered cannot be trusted. Try again."]
LATE = ["This sign-in took too long, or began in another browser. Try again."]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInWorld]:
    with sign_in_world(tmp_path_factory.mktemp("provider")) as world:
        yield world


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(headers={"Accept": "text/html"}) as browser:
        yield browser


def come_back(
    world: SignInWorld, browser: httpx.Client, subject: str, back: str = ""
) -> httpx.Response:
    """Sign in at the provider as somebody, and return with its answer."""
    return browser.get(authorize(provider_form(world, browser, back), sub=subject))


def test_a_person_signs_in_and_continues_where_they_were(
    world: SignInWorld, browser: httpx.Client
) -> None:
    world.add("Mai Phương", with_password=False)
    world.know("s-mai", email="Mai@PR.example", email_verified=True)
    answer = come_back(world, browser, "s-mai", "/account?language=vi")
    assert answer.status_code == 303, answer.text
    assert str(answer.url.join(answer.headers["location"])) == f"{world.url}/account?language=vi"
    assert "groundswell_session" in browser.cookies
    assert "groundswell_sign_in" not in browser.cookies
    assert "Mai Phương" in browser.get(f"{world.url}/account").text
    entries = world.client.get("/v1/audit", headers=world.admin).json()["items"]
    assert entries[0]["detail"] == {"method": "oidc"}
    assert entries[0]["principal_name"] == "Mai Phương"
    # From now on it is the id that counts: addresses are given to others.
    world.know("s-mai", email="other@pr.example", email_verified=True)
    assert come_back(world, browser, "s-mai").status_code == 303
    world.know("s-new", email="mai@pr.example", email_verified=True)
    other = come_back(world, browser, "s-new")
    assert other.status_code == 401
    assert faults_of(other)[0].startswith("Your account here belongs to another account")


@pytest.mark.parametrize(
    ("claims", "fault"),
    [
        ({"email": "an@pr.example", "email_verified": False}, "Your provider has not verified"),
        ({"email": "an@pr.example"}, "Your provider has not verified"),
        ({}, "Your provider has not verified"),
        ({"email": "nobody@pr.example", "email_verified": True}, "You have no account here."),
    ],
)
def test_whoever_the_provider_does_not_vouch_for_stays_outside(
    world: SignInWorld, browser: httpx.Client, claims: dict[str, object], fault: str
) -> None:
    people = world.client.get("/v1/people", headers=world.admin).json()["items"]
    if "an@pr.example" not in [one["email"] for one in people]:
        world.add("An", with_password=False)
    world.know("s-an", **claims)
    answer = come_back(world, browser, "s-an")
    assert answer.status_code == 401
    assert faults_of(answer)[0].startswith(fault)
    assert "groundswell_session" not in browser.cookies


@pytest.mark.parametrize(
    "email", ["\ufb01@pr.example", "mi\u212ae@pr.example", "fi@pr.example.evil"]
)
def test_an_address_that_only_resembles_another_is_another(
    world: SignInWorld, browser: httpx.Client, email: str
) -> None:
    """The ligature ﬁ and the Kelvin sign become `fi` and `k` where letters are normalised."""
    people = world.client.get("/v1/people", headers=world.admin).json()["items"]
    if "fi@pr.example" not in [one["email"] for one in people]:
        world.add("Fi", with_password=False)
        world.add("Mike", with_password=False)
    world.know("s-other", email=email, email_verified=True)
    assert faults_of(come_back(world, browser, "s-other"))[0].startswith("You have no account")


def test_a_disabled_person_stays_outside(world: SignInWorld, browser: httpx.Client) -> None:
    world.add("Binh", with_password=False)
    world.know("s-binh", email="binh@pr.example", email_verified=True)
    assert come_back(world, browser, "s-binh").status_code == 303
    world.client.post("/v1/people/binh@pr.example/disable", headers=world.admin)
    assert browser.get(f"{world.url}/account").status_code == 303
    assert faults_of(come_back(world, browser, "s-binh")) == [
        "Your account is disabled. Ask an admin."
    ]


def test_an_answer_counts_once_and_in_the_browser_that_asked(
    world: SignInWorld, browser: httpx.Client
) -> None:
    """Login CSRF: an attacker gives a victim the link with the attacker's own code."""
    world.add("Mallory", with_password=False)
    world.know("s-mallory", email="mallory@pr.example", email_verified=True)
    link = authorize(provider_form(world, browser), sub="s-mallory")
    with httpx.Client(headers={"Accept": "text/html"}) as victim:
        assert faults_of(victim.get(link)) == LATE
        provider_form(world, victim)  # the victim is about to sign in too
        assert faults_of(victim.get(link)) == NOT_TRUSTED
        assert "groundswell_session" not in victim.cookies
    cookie = browser.cookies["groundswell_sign_in"]
    assert browser.get(link).status_code == 303
    browser.cookies.clear()
    again = browser.get(link, headers={"Cookie": f"groundswell_sign_in={cookie}"})
    assert faults_of(again) == LATE


def test_a_code_of_another_sign_in_is_not_taken(world: SignInWorld, browser: httpx.Client) -> None:
    """Code injection: the state is the victim's own, the code the attacker's; nonce and PKCE
    differ."""
    world.know("s-mallory", email="mallory@pr.example", email_verified=True)
    with httpx.Client() as mallory:
        stolen = httpx.URL(authorize(provider_form(world, mallory), sub="s-mallory"))
    address = httpx.URL(provider_form(world, browser))
    answer = browser.get(
        f"{world.url}/sign-in/callback",
        params={"state": address.params["state"], "code": stolen.params["code"]},
    )
    assert faults_of(answer) == NOT_TRUSTED
    assert "groundswell_session" not in browser.cookies


def test_whoever_says_no_at_the_provider_comes_back_to_the_sign_in(
    world: SignInWorld, browser: httpx.Client
) -> None:
    address = httpx.URL(provider_form(world, browser))
    answer = browser.get(
        f"{world.url}/sign-in/callback",
        params={"state": address.params["state"], "error": "access_denied"},
    )
    assert answer.status_code == 401
    assert faults_of(answer) == NOT_TRUSTED
    assert 'action="../sign-in?' in answer.text


def test_the_way_to_the_provider_leads_to_no_other_site(
    world: SignInWorld, browser: httpx.Client
) -> None:
    world.know("s-mallory", email="mallory@pr.example", email_verified=True)
    answer = come_back(world, browser, "s-mallory", "//evil.example/")
    assert str(answer.url.join(answer.headers["location"])) == f"{world.url}/account"
