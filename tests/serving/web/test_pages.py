"""The page of an alert: what it says, what it lets people do, and whom it turns away."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from serving.locales.wording import wording
from serving.web.pages import preferred
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import notification
from tests.serving.notify.test_late_sources import learn
from tests.serving.web.conftest import HOSTILE

Send = Callable[..., httpx.Response]
ReadAlert = Callable[[], dict[str, Any]]


class _Page(HTMLParser):
    """The tags of a page with their attributes, and whether it is whole."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def buttons(self) -> list[str | None]:
        return [attributes["value"] for attributes in self.named("button")]


def shown(client: TestClient, alert: dict[str, Any], query: str = "", **headers: str) -> str:
    answer = client.get(f"/alerts/{alert['alert_id']}{query}", headers=headers)
    assert answer.status_code == 200
    return answer.text


def test_it_says_what_the_message_said(stormy: TestClient, alert: dict[str, Any]) -> None:
    html, evidence, words = shown(stormy, alert), alert["evidence"], wording()
    share = words.percent(evidence["negative_share"])
    for said in (
        "<bdi>Lena Vane</bdi>",
        "CRITICAL",
        f"{share} negative (normal: ",
        f'<p class="figure">{evidence["comments"]}</p>',
        "What people say",
        "coordinated: ",
        "Nobody has acknowledged it yet",
        "brigade detected",
        alert["alert_id"],
    ):
        assert said in html
    assert html.count("<blockquote") == 3
    (picture,) = _Page(html).named("img")
    assert stormy.get(urljoin(f"/alerts/{alert['alert_id']}", picture["src"])).status_code == 200


def test_it_says_which_platform_is_late(stormy: TestClient, alert: dict[str, Any]) -> None:
    service = stormy.app.state.service  # type: ignore[attr-defined]
    assert "usually arrive" not in shown(stormy, alert)
    stormy.portal.call(learn, service.delays._database, "<b>x</b>", 62)  # type: ignore[union-attr]
    assert (
        "<bdi>Comments from ‹b›x‹/b› usually arrive 1 to 62 minutes late, so what was "
        "written there since 10:58 may be missing.</bdi>"
    ) in shown(stormy, alert)
    assert "thường đến muộn 1 đến 62 phút" in shown(stormy, alert, "?language=vi")


def test_the_links_of_messages_lead_to_it(stormy: TestClient, alert: dict[str, Any]) -> None:
    sent = notification(alert_id=alert["alert_id"], public_url="http://testserver")
    assert sent.link is not None
    assert sent.acknowledge_link is not None
    assert stormy.get(sent.link).status_code == 200
    page = _Page(stormy.get(sent.acknowledge_link).text)
    assert page.buttons[0] == "acknowledge"
    assert "autofocus" in next(box for box in page.named("input") if box["name"] == "actor")


def test_asking_to_acknowledge_does_not_do_it(
    stormy: TestClient, alert: dict[str, Any], work: ReadAlert
) -> None:
    shown(stormy, alert, "?action=acknowledge")
    assert work()["triage"]["acknowledged_by"] is None


@pytest.mark.parametrize(
    ("query", "accepted", "language", "zone"),
    [
        ("", "", "en", "UTC"),
        ("?language=vi&timezone=Asia/Ho_Chi_Minh", "en", "vi", "UTC+7"),
        ("", "vi-VN,vi;q=0.9,en;q=0.8", "vi", "UTC"),
        ("?language=tlh&timezone=Mars/Olympus", "vi", "vi", "UTC"),
        ("?language=en", "vi", "en", "UTC"),
    ],
)
def test_it_is_in_the_readers_words(
    stormy: TestClient, alert: dict[str, Any], query: str, accepted: str, language: str, zone: str
) -> None:
    html = shown(stormy, alert, query, **{"accept-language": accepted})
    assert f'<html lang="{language}" dir="ltr">' in html
    assert wording(language).text("Status") in html
    assert re.search(rf"\d:\d\d {re.escape(zone)}<", html)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("fr, de;q=0.9", "en"),
        ("VI", "vi"),
        ("fr, vi;q=0.2", "vi"),
        ("en;q=0.4, vi;q=0.5", "vi"),
        ("vi;q=0", "en"),
        ("vi;q=much", "en"),
    ],
)
def test_the_browsers_language(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_a_browser_may_show_it_and_nothing_else(stormy: TestClient, alert: dict[str, Any]) -> None:
    answer = stormy.get(f"/alerts/{alert['alert_id']}")
    style = re.search(r"<style>(.*)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


def test_other_peoples_words_are_words(
    stormy: TestClient, alert: dict[str, Any], send: Send
) -> None:
    stormy.put("/v1/kols/lena", json={"name": HOSTILE})
    assert send(action="note", actor=HOSTILE[:100], text=HOSTILE).status_code == 303
    html = send(action="note", actor="mai" * 40, text=HOSTILE).text
    stormy.put("/v1/kols/lena", json={"name": "Lena Vane"})
    page = _Page(html)
    assert {tag for tag, _ in page.tags} == {
        "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "bdi", "section",
        "ul", "ol", "li", "form", "label", "input", "textarea", "select", "option", "button", "div",
        "img", "blockquote", "span", "br",
    }  # fmt: skip
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name.startswith("on") or name == "style"]
    assert html.count(escape(HOSTILE).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")) == 2


def test_an_action_is_done_and_shown(
    stormy: TestClient, alert: dict[str, Any], send: Send, work: ReadAlert
) -> None:
    answer = send(action="acknowledge", actor=" Mai Phương ", text="calling her\r\nmanager")
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location == f"{alert['alert_id']}?language=en&timezone=UTC"  # whatever is in front
    done = work()
    assert done["triage"]["acknowledged_by"] == "Mai Phương"
    assert done["actions"][-1]["text"] == "calling her\nmanager"
    html = shown(stormy, alert)
    assert "Mai Phương acknowledged it · Mar 10, 2026, 12:00 UTC" in html
    page = _Page(html)
    assert page.buttons == ["note", "snooze", "resolve", "false_alarm", "unacknowledge"]
    assert page.named("input")[0]["value"] == "Mai Phương"  # need not be typed again
    assert answer.headers["set-cookie"].lower().endswith("samesite=lax")


@pytest.mark.parametrize(
    ("action", "field", "buttons"),
    [
        ("resolve", "closed_by", ["acknowledge", "reopen", "false_alarm", "note"]),
        ("false_alarm", "false_alarm_by", ["acknowledge", "reopen", "note"]),
        (
            "snooze",
            "snoozed_by",
            ["acknowledge", "unsnooze", "resolve", "false_alarm", "note"],
        ),
    ],
)
def test_what_was_done_can_be_taken_back(
    stormy: TestClient,
    alert: dict[str, Any],
    send: Send,
    work: ReadAlert,
    action: str,
    field: str,
    buttons: list[str],
) -> None:
    assert send(action=action, actor="linh", hours="4").status_code == 303
    assert work()["triage"][field] == "linh"
    html = shown(stormy, alert)
    assert _Page(html).buttons == buttons
    assert "No notifications are sent for it now" in html
    back = next(name for name in buttons if name in ("reopen", "unsnooze"))
    assert send(action=back, actor="linh").status_code == 303
    assert work()["muted"] is None


def test_a_snooze_ends_after_the_hours_that_were_chosen(send: Send, work: ReadAlert) -> None:
    assert send(action="snooze", actor="linh", hours="4").status_code == 303
    until = (NOW + timedelta(hours=4)).isoformat().replace("+00:00", "Z")
    assert work()["triage"]["snoozed_until"] == until


def test_a_silence_is_shown(stormy: TestClient, alert: dict[str, Any]) -> None:
    ends = (NOW + timedelta(hours=1)).isoformat()
    silence = {"kols": ["lena"], "ends_at": ends, "reason": "giveaway", "actor": "mai"}
    made = stormy.post("/v1/silences", json=silence).json()["silence_id"]
    html = shown(stormy, alert)
    stormy.post(f"/v1/silences/{made}/expire", json={"actor": "mai"})
    assert "Muted by a silence" in html
    assert "Muted by a silence" not in shown(stormy, alert)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "acknowledge"}, "Enter your name"),
        ({"action": "acknowledge", "actor": "   "}, "Enter your name"),
        ({"action": "acknowledge", "actor": "m" * 101}, "Enter your name"),
        ({"action": "note", "actor": "mai"}, "Write a note"),
        ({"action": "note", "actor": "mai", "text": "x" * 2001}, "Write a note"),
        ({"action": "snooze", "actor": "mai", "hours": "9999"}, "This action is not possible"),
        ({"action": "explode", "actor": "mai"}, "This action is not possible"),
        ({"actor": "mai", "text": "typed already"}, "This action is not possible"),
    ],
)
def test_a_form_that_lacks_something_says_so_and_keeps_the_rest(
    send: Send, work: ReadAlert, fields: dict[str, str], said: str
) -> None:
    before = work()["actions"]
    answer = send(**fields)
    assert answer.status_code == 422
    (fault,) = re.findall(r'role="alert">(.*)</p>', answer.text)
    assert fault.startswith(said)
    assert fields.get("text", "") in answer.text
    assert _Page(answer.text).named("input")[0]["value"] == fields.get("actor", "").strip()
    assert work()["actions"] == before


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "null"}, {}])
def test_a_strangers_form_does_nothing(
    send: Send, work: ReadAlert, headers: dict[str, str]
) -> None:
    before = work()["actions"]
    answer = send(headers, action="resolve", actor="mallory")
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text
    assert work()["actions"] == before


def test_what_is_no_form_or_no_alert(stormy: TestClient, alert: dict[str, Any]) -> None:
    own = {"sec-fetch-site": "same-origin"}
    path = f"/alerts/{alert['alert_id']}"
    assert stormy.post(path, json={"action": "resolve"}, headers=own).status_code == 415
    typed = own | {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    for body, status in (
        (b"text=" + b"x" * 70_000, 413),
        (b"text=\xff", 400),
        (b"text=%FF", 400),
        (b"a=1&" * 30, 400),
    ):
        assert stormy.post(path, content=body, headers=typed).status_code == status
    fields = {"action": "acknowledge", "actor": "mai"}
    for answer in (
        stormy.get("/alerts/test"),
        stormy.post("/alerts/test", data=fields, headers=own),
        stormy.get("/alerts/%3Cscript%3E"),
    ):
        assert answer.status_code == 404
        assert "This alert does not exist" in answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "script" not in answer.text


def test_pages_are_no_part_of_the_api(stormy: TestClient) -> None:
    paths = stormy.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if urlsplit(path).path.startswith("/alerts")]
