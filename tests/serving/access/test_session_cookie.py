"""The cookies of sign-in: what browsers are asked to do with them, and which are read."""

import pytest
from starlette.requests import HTTPConnection

from serving.access.own_path import asked_for, own_path, relative
from serving.access.session_cookie import SESSION, CookieJar

HTTPS = "https://pr.example"


def connection(cookie: str = "", scheme: str = "http") -> HTTPConnection:
    headers = [(b"cookie", cookie.encode("latin-1"))] if cookie else []
    return HTTPConnection({"type": "http", "scheme": scheme, "headers": headers})


@pytest.mark.parametrize(
    ("public_url", "scheme", "secure"),
    [
        (None, "http", False),
        ("http://pr.example", "http", False),
        (None, "https", True),
        (HTTPS, "http", True),  # behind a proxy that ends TLS
        (HTTPS, "https", True),
    ],
)
def test_with_https_a_cookie_stays_on_https_and_on_this_host(
    public_url: str | None, scheme: str, secure: bool
) -> None:
    jar, asked = CookieJar(public_url), connection(scheme=scheme)
    name, *attributes = jar.written(asked, SESSION, "v4lue", 60).split("; ")
    assert name == f"{'__Host-' if secure else ''}groundswell_session=v4lue"
    assert ("Secure" in attributes) is secure
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=60"} <= set(attributes)
    assert not any(one.startswith("Domain") for one in attributes)


def test_with_https_a_cookie_that_another_host_can_plant_is_not_read() -> None:
    jar = CookieJar(HTTPS)
    assert jar.read(connection(f"{SESSION}=planted"), SESSION) is None
    assert jar.read(connection(f"{SESSION}=planted; __Host-{SESSION}=own"), SESSION) == "own"


@pytest.mark.parametrize(
    ("cookie", "value"),
    [
        ("", None),
        ("other=1", None),
        (f"{SESSION}=a", "a"),
        (f"x=1;{SESSION}=a=b ; y", "a=b"),
        (f"{SESSION}=a; {SESSION}=a", "a"),
        (f"{SESSION}=a; {SESSION}=b", None),
        (f"x{SESSION}=a", None),
        (f"{SESSION.upper()}=a", None),
    ],
)
def test_a_value_is_read_if_there_is_one(cookie: str, value: str | None) -> None:
    assert CookieJar(None).read(connection(cookie), SESSION) == value


@pytest.mark.parametrize("path", ["/", "/account", "/alerts/a%2Fb?x=%20&y=1", "/a//b", "/a/../b"])
def test_paths_of_our_own(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None, "", "account", "//x", "/\\x", "/ ", "/a\nb", "/a\x00", "/é", "/a#b", "/a<b", "/a\\b",
        "https:/x", "/sign-in", "/sign-in/callback?code=x", "/sign-out", "/" + 2000 * "a",
    ],
)  # fmt: skip
def test_other_addresses(path: str | None) -> None:
    assert own_path(path) is None


@pytest.mark.parametrize(
    ("path", "seen_from", "address"),
    [
        ("/account", "/sign-in", "./account"),
        ("/account", "/sign-in/callback", "./../account"),
        ("/sign-in?next=x", "/alerts/a/b", "./../../sign-in?next=x"),
        ("//evil.example", "/sign-in", ".//evil.example"),
        ("/javascript:alert(1)", "/sign-in", "./javascript:alert(1)"),
    ],
)
def test_a_relative_address_stays_on_this_host(path: str, seen_from: str, address: str) -> None:
    assert relative(path, seen_from=seen_from) == address


def test_what_was_asked_for_is_kept_as_it_was_written() -> None:
    scope = {"path": "/alerts/ä b", "raw_path": b"/alerts/%C3%A4%20b", "query_string": b"a=%20"}
    assert asked_for(scope) == "/alerts/%C3%A4%20b?a=%20"
    assert asked_for({"path": "//evil", "raw_path": b"//evil", "query_string": b""}) is None
