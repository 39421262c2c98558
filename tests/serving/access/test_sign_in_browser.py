"""The pages of sign-in and account in a real browser: they can be read, and work without scripts.

With the environment variable `SHOTS` set to a folder, the pages are saved there as pictures.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.serving.access.browsing import PASSWORD
from tests.serving.access.provider_process import SignInWorld, sign_in_world
from tests.serving.browser import CHROMIUM, Tab, tab
from tests.serving.web.conftest import befall

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]
VI = "?language=vi&timezone=Asia/Ho_Chi_Minh"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInWorld]:
    with sign_in_world(tmp_path_factory.mktemp("browser")) as world:
        world.client.put("/v1/brands/acme", json={"kols": []}, headers=world.admin)
        world.add("Mai Phương", "responder", brands=["acme"])
        world.know("s-mai", email="mai@pr.example", email_verified=True)
        world.add("Linh", "viewer")
        yield world


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Tab]:
    with tab(tmp_path) as page:
        yield page


def check(page: Tab, name: str, *, width: int = 760, dark: bool = False) -> None:
    page.screen(width, 500, dark=dark)
    assert page.faults() == [], name
    if folder := os.environ.get("SHOTS"):
        page.shot().save(Path(folder) / f"{name}-{width}{'-dark' if dark else ''}.png")


def fill(page: Tab, **fields: str) -> None:
    """Fill the last form of the page, and send it as its first button does."""
    for name, value in fields.items():
        page.run(f"[...document.querySelectorAll('[name={name}]')].at(-1).value = {value!r}")
    page.run("[...document.querySelectorAll('main form')].at(-1).querySelector('button').click()")
    page.loaded()


def test_signing_in_with_a_password_and_out(world: SignInWorld, page: Tab) -> None:
    page.screen(760)
    page.open(f"{world.url}/account{VI}")
    assert page.run("location.pathname") == "/sign-in"
    assert page.run("document.activeElement.name") == "email"
    page.open(f"{world.url}/sign-in{VI}")
    for width, dark in ((760, False), (380, False), (380, True)):
        check(page, "sign-in-vi", width=width, dark=dark)
    fill(page, email="mai@pr.example", password="sai mật khẩu")
    assert "Địa chỉ email hoặc mật khẩu không đúng." in page.text()
    assert page.run("document.activeElement.name") == "password"
    check(page, "sign-in-wrong-vi", width=380, dark=True)
    check(page, "sign-in-wrong-vi", width=380)
    fill(page, password=PASSWORD)
    assert page.run("location.pathname") == "/account"
    assert "Mai Phương" in page.text()
    assert page.run("document.cookie") == ""  # no script can read it
    page.open(f"{world.url}/account{VI}")
    for width, dark in ((760, False), (380, False), (380, True)):
        check(page, "account-vi", width=width, dark=dark)
    page.open(f"{world.url}/account")
    check(page, "account-en")
    fill(page, password=PASSWORD, new_password="x" * 12, again="x" * 12)
    assert "easily guessed" in page.text()
    check(page, "account-fault-en", width=380)
    page.run("document.querySelector('header button').click()")
    page.loaded()
    assert "You are signed out." in page.text()
    check(page, "signed-out-en", width=380)
    page.open(f"{world.url}/account")
    assert page.run("location.pathname") == "/sign-in"


def test_replacing_a_password_that_was_given(world: SignInWorld, page: Tab) -> None:
    body = {"email": "an@pr.example", "name": "An", "role": "viewer"}
    given = world.client.post("/v1/people", json=body, headers=world.admin).json()["password"]
    page.open(f"{world.url}/sign-in{VI}")
    fill(page, email="an@pr.example", password=given)
    assert "Đặt mật khẩu của bạn" in page.text()
    for width in (760, 380):
        check(page, "new-password-vi", width=width)
    fill(page, password=given, new_password=PASSWORD, again="khác")
    assert "Hai mật khẩu mới không giống nhau." in page.text()
    check(page, "new-password-fault-vi", width=380)
    fill(page, password=given, new_password=PASSWORD, again=PASSWORD)
    assert page.run("location.pathname") == "/account"


def test_signing_in_at_the_provider(world: SignInWorld, page: Tab) -> None:
    page.open(f"{world.url}/account")
    page.run("document.querySelector('a.choice').click()")
    page.loaded()
    assert page.run("location.origin") == world.issuer
    page.run("document.querySelector('[name=sub]').value = 's-mai'")
    page.run("document.querySelector('button').click()")
    page.loaded()
    assert page.run("location.href") == f"{world.url}/account"
    assert "Mai Phương" in page.text()


def test_a_page_of_another_site_cannot_use_the_session(
    world: SignInWorld, page: Tab, tmp_path: Path
) -> None:
    page.open(f"{world.url}/sign-in")
    fill(page, email="linh@pr.example", password=PASSWORD)
    stranger = tmp_path / "stranger.html"
    stranger.write_text(
        f'<img src="{world.url}/sign-out"><img src="{world.url}/account/sign-out-everywhere">'
        f'<form method="post" action="{world.url}/sign-out"></form>'
    )
    page.open(stranger.as_uri())
    page.run("document.querySelector('form').submit()")
    page.loaded()
    page.open(f"{world.url}/account")
    assert "Linh" in page.text()


def test_the_page_of_an_alert_knows_who_works_on_it(world: SignInWorld, page: Tab) -> None:
    with httpx.Client(base_url=world.url, headers=world.admin, timeout=60) as admin:
        start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=21)
        path = f"/alerts/{befall(admin, start)['alert_id']}"
        everything = {"brands": None}
        admin.patch("/v1/people/mai@pr.example", json=everything).raise_for_status()
    page.open(f"{world.url}{path}?action=acknowledge")
    assert page.run("location.pathname") == "/sign-in"
    fill(page, email="mai@pr.example", password=PASSWORD)
    assert page.run("location.pathname + location.search") == f"{path}?action=acknowledge"
    assert page.run("document.querySelector('[name=actor]')") is None
    for width, dark in ((760, False), (380, False), (380, True)):
        check(page, "alert-en", width=width, dark=dark)
    page.run("document.querySelector('main form button').click()")
    page.loaded()
    assert "Mai Phương acknowledged it" in page.text()
    page.run("document.querySelector('header button').click()")
    page.loaded()
    fill(page, email="linh@pr.example", password=PASSWORD)
    page.open(f"{world.url}{path}{VI}")
    assert page.run("document.querySelector('main form')") is None
    assert "Vai trò của bạn chỉ cho phép xem" in page.text()
    check(page, "alert-viewer-vi", width=380)
