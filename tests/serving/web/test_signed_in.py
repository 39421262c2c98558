"""The page of an alert for who is signed in, and for who may only read."""

import pytest

from monitoring.kinds import AlertState, Reason
from serving.web.account_page import browser_of
from serving.web.signed_in import SignedIn
from serving.web.templates import page
from tests.serving.notify.conftest import WORDS
from tests.serving.web.conftest import HOSTILE
from tests.serving.web.test_late_alerts import event, view

MAI = SignedIn(HOSTILE, "../account", "../sign-out", "Sign out")


def html(*, signed_in: SignedIn | None = None, can_respond: bool = True) -> str:
    shown = page(
        "alert.html",
        WORDS,
        page=view(event(Reason.OPENED), state=AlertState.OPEN),
        actor="",
        remark="",
        fault=None,
        action="",
        signed_in=signed_in,
        can_respond=can_respond,
    )
    return bytes(shown.body).decode()


def test_nobody_who_is_signed_in_is_asked_for_a_name() -> None:
    assert 'name="actor"' in html()
    assert "<header>" not in html()
    shown = html(signed_in=MAI)
    assert 'name="actor"' not in shown
    assert 'name="action" value="acknowledge"' in shown
    assert '<form method="post" action="../sign-out">' in shown
    assert '<a href="../account">' in shown
    assert "<script" not in shown
    assert "<img src=x" not in shown


def test_who_may_only_read_gets_no_form() -> None:
    shown = html(signed_in=MAI, can_respond=False)
    assert 'name="action"' not in shown
    assert "Your role lets you read." in shown


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", "Firefox · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/1 Edg/140", "Edge · Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome · Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18 Safari/605", "Safari · macOS"),
        ("curl/8", None),
        ("", None),
    ],
)  # fmt: skip
def test_browsers_are_named_as_people_name_them(agent: str, name: str | None) -> None:
    assert browser_of(agent) == name
