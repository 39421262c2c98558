"""A key that is limited to some KOLs: for it, there are no others."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.sse import format_sse_event
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.access.principal import Principal, PrincipalKind
from serving.access.scope import Scope
from serving.api.stream import stream
from serving.app import create_app
from serving.clock import TestClock
from serving.ingest.intake import Intake
from serving.kol_limit import KolLimit
from serving.settings import Settings
from tests.serving.access.route_table import ROUTES, filled
from tests.serving.access.two_brands import (
    CHANNELS,
    FOLLOWERS,
    LENA,
    MARK,
    ZOE,
    SharedService,
    fill,
)
from tests.serving.conftest import NOW
from tests.serving.streams import wait_until_processed

GETS = sorted(
    path
    for method, path, _ in ROUTES
    if method == "GET" and not re.search("sign-in|webhooks", path)
)
WHOLE = {  # about the service as a whole
    path
    for method, path, requirement in ROUTES
    if method == "GET" and requirement is not None and requirement.every_kol
}
MISSING = {
    "kol_id": "nobody",
    "alert_id": "no-such-alert",
    "delivery_id": 987_654,
    "silence_id": 987_654,
    "import_id": 987_654,
    "platform": "instagram",
    "comment_id": "none",
    "post_id": "none",
    "author_id": "none",
    "brand": "none",
    "name": "none",
    "key_id": "feedfeed",
    "person": "none",
    "source_id": "feedfeed",
}
WRITES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/v1/alerts/{alert_id}/actions", {"action": "acknowledge", "text": "seen"}),
    ("POST", "/v1/deliveries/{delivery_id}/resend", None),
    ("POST", "/v1/digests/{name}/send", {}),
    ("POST", "/v1/silences/{silence_id}/expire", {}),
    ("PUT", "/v1/kols/{kol_id}", {"name": "Mine"}),
    ("PUT", "/v1/kols/{kol_id}/policy", {"sensitivity": 3.0}),
    ("POST", "/v1/kols/{kol_id}/followers", {"followers": 1}),
    ("POST", "/v1/kols/{kol_id}/rename", {"new_id": "mine"}),
    ("POST", "/v1/kols/{kol_id}/merge", {"into": LENA}),
    ("POST", "/v1/kols/{kol_id}/unmerge", {}),
    ("POST", "/v1/kols/{kol_id}/archive", {}),
    ("POST", "/v1/kols/{kol_id}/unarchive", {}),
    ("DELETE", "/v1/kols/{kol_id}", None),
    ("PATCH", "/v1/sources/{source_id}", {"name": "Mine"}),
    ("DELETE", "/v1/sources/{source_id}", None),
    ("POST", "/v1/sources/{source_id}/pause", None),
    ("POST", "/v1/sources/{source_id}/resume", None),
    ("POST", "/v1/sources/{source_id}/test", None),
    ("DELETE", "/v1/comments/{platform}/{comment_id}", None),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedService]:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "channels.toml").write_text(CHANNELS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_SECRET", "sixteen-characters")
        settings = Settings(
            database_url=f"sqlite:///{folder / 'test.db'}",
            access="keys",
            channels=folder / "channels.toml",
            notified_age=timedelta(days=30),
            _env_file=None,
        )
        classifier = SentimentClassifier.from_backend(FakeBackend())
        app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
        with TestClient(app) as client:
            found = SharedService(app, client)
            fill(found, folder / "groundswell-admin.key")
            yield found


def says_nothing_of_the_other(text: str) -> None:
    found = re.search(f"{MARK}|{FOLLOWERS}", text, re.IGNORECASE)
    assert found is None, text[max(found.start() - 200, 0) : found.end() + 100]


@pytest.mark.parametrize("path", GETS)
def test_no_answer_tells_of_another_kol(service: SharedService, path: str) -> None:
    if path == "/v1/stream":  # has no end; below
        return
    answer = service.client.get(
        filled(path, service.own), headers=service.limited, follow_redirects=False
    )
    if path in WHOLE:
        assert answer.status_code == 403
    elif path not in {"/", "/account"}:
        assert answer.status_code == 200, answer.text
    says_nothing_of_the_other(answer.text)


@pytest.mark.parametrize("path", [path for path in GETS if "{" in path])
def test_what_is_of_another_kol_is_as_if_it_did_not_exist(
    service: SharedService, path: str
) -> None:
    assert answer_to(service, "GET", path, None, service.other) == answer_to(
        service, "GET", path, None, MISSING
    )


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_what_is_of_another_kol_cannot_be_changed(
    service: SharedService, method: str, path: str, body: dict[str, Any] | None
) -> None:
    before = state_of_the_other(service)
    status, text = answer_to(service, method, path, body, service.other)
    assert (status, text) == answer_to(service, method, path, body, MISSING)
    assert status == 404
    assert state_of_the_other(service) == before


def test_every_change_of_something_there_is_in_the_list_above() -> None:
    """Those that need a key without a limit are refused before anything is looked up."""
    listed = {(method, path.replace(":path", "")) for method, path, _ in WRITES}
    for method, path, requirement in ROUTES:
        names_something = method != "GET" and "{" in path and path.startswith("/v1")
        if names_something and requirement is not None and not requirement.every_kol:
            assert (method, path.replace(":path", "")) in listed


def answer_to(
    service: SharedService,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    values: dict[str, Any],
) -> tuple[int, str]:
    """Status and body, with what was asked for taken out."""
    answer = service.client.request(
        method, filled(path, values), json=body, headers=service.limited, follow_redirects=False
    )
    text = answer.text
    for name, value in sorted(values.items(), key=lambda one: -len(str(one[1]))):
        if f"{{{name}" in path:
            text = text.replace(str(value), f"<{name}>")
    return answer.status_code, text


def state_of_the_other(service: SharedService) -> list[Any]:
    paths = ["/v1/kols/{kol_id}", "/v1/alerts/{alert_id}", "/v1/silences/{silence_id}"]
    paths += ["/v1/sources/{source_id}"]
    paths += ["/v1/comments/{platform}/{comment_id}", "/v1/kols/{kol_id}/followers"]
    return [service.get(filled(path, service.other)) for path in paths]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/alerts?kol_id={kol_id}",
        "/v1/alerts?muted=false&limit=1000",
        "/v1/alerts?assignee=quill%20person",
        "/v1/deliveries?limit=1000",
        "/v1/deliveries?alert_id={alert_id}",
        "/v1/feedback?kol_id={kol_id}",
        "/v1/kols?archived=true",
        "/v1/imports?limit=1000",
        "/v1/silences?state=active",
    ],
)
def test_filters_find_nothing_of_another_kol(service: SharedService, path: str) -> None:
    asked = filled(path, service.other)
    answer = service.client.get(asked, headers=service.limited)
    assert answer.status_code == 200
    says_nothing_of_the_other(answer.text)


@pytest.mark.parametrize("query", ["kol_id={kol_id}", "brand={brand}", "name={name}"])
def test_a_digest_of_another_kol_does_not_exist(service: SharedService, query: str) -> None:
    path = f"/v1/digest?{query}"
    other = answer_to(service, "GET", path, None, service.other)
    assert other == answer_to(service, "GET", path, None, MISSING)
    assert other[0] == 404
    assert service.see(filled(path, service.own))["kols"][0]["kol_id"] == LENA


def test_pages_are_full_and_end_where_the_own_items_end(service: SharedService) -> None:
    for path in ("/v1/alerts", "/v1/deliveries", "/v1/silences", "/v1/imports", "/v1/kols"):
        everything = service.see(f"{path}?limit=1000")["items"]
        paged, cursor = [], ""
        while True:
            page = service.see(f"{path}?limit=1{cursor}")
            assert len(page["items"]) == 1
            paged += page["items"]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert [str(one) for one in paged] == [str(one) for one in everything]


def test_counts_are_those_of_the_own_kols(service: SharedService) -> None:
    status = service.see("/v1/status")
    assert (status["kols"], status["log"]["backlog"], status["reruns"]) == (1, 0, 0)
    assert (status["log"]["last_seq"], status["log"]["processed_seq"]) == (None, None)
    open_now = [one for one in service.see("/v1/alerts")["items"] if one["state"] == "open"]
    assert status["open_alerts"] == len(open_now)
    assert service.get("/v1/status")["kols"] > 1
    raised = service.see("/v1/feedback")["totals"]
    assert raised
    assert {one["kol_id"] for one in raised} == {LENA}
    assert service.see("/v1/digest?day=2026-03-10")["precision"]["raised"] == sum(
        one["raised"] for one in raised
    )


def test_of_a_joint_post_only_the_own_kol_is_shown(service: SharedService) -> None:
    assert service.see("/v1/posts/instagram/joint")["kols"] == [LENA]
    listed = service.see(f"/v1/kols/{LENA}/posts")["items"]
    assert {one["post_id"]: one["kols"] for one in listed} == {
        "joint": [LENA],
        "post-1": [LENA],
        "of-twin": [LENA],  # of a KOL that was merged into this one
    }
    (history,) = service.see("/v1/comments/instagram/on-joint")["items"]
    assert history["text"] == "on both"


def test_a_merged_kol_is_not_named(service: SharedService) -> None:
    assert service.see(f"/v1/kols/{LENA}")["aliases"] == []
    assert service.client.get(f"/v1/kols/{MARK}-twin", headers=service.limited).status_code == 404
    texts = [one["text"] for one in service.see(f"/v1/kols/{LENA}/comments?limit=1000")["items"]]
    assert "hello" in texts


def test_a_silence_of_both_shows_the_own_part(service: SharedService) -> None:
    silence = service.see(f"/v1/silences/{service.shared['silence_id']}")
    assert (silence["kols"], silence["posts"], silence["reason"]) == ([LENA], ["post-1"], "")
    path = f"/v1/silences/{service.shared['silence_id']}/expire"
    assert service.client.post(path, json={}, headers=service.limited).status_code == 403
    path = f"/v1/silences/{service.shared['silence_of_all']}"
    assert service.client.get(path, headers=service.limited).status_code == 404


def test_a_silence_names_kols_and_only_own_ones(service: SharedService) -> None:
    body = {"ends_at": (NOW + timedelta(days=1)).isoformat(), "reason": "x", "kinds": ["flip"]}
    for kols, status in ((None, 403), ([LENA, ZOE], 404), ([LENA, "nobody"], 404)):
        sent = body | ({} if kols is None else {"kols": kols})
        answer = service.client.post("/v1/silences", json=sent, headers=service.limited)
        assert answer.status_code == status, answer.text


def test_comments_for_another_kol_are_rejected_as_for_nobody(service: SharedService) -> None:
    at = (NOW - timedelta(minutes=5)).isoformat()

    def send(**names: str) -> dict[str, Any]:
        item = {"platform": "instagram", "comment_id": "new", "text": "hi", "created_at": at}
        answer = service.client.post("/v1/comments", json=item | names, headers=service.limited)
        error: dict[str, Any] = answer.json()["items"][0]["error"]
        return error

    for kol_id in (ZOE, "nobody", f"{MARK}-gone", f"{MARK}-twin", f"{MARK}-old"):
        assert send(kol_id=kol_id) == {
            "code": "kol_not_allowed",
            "field": "kol_id",
            "message": f"KOL {kol_id!r}: this key may not send comments for it",
        }
    known, unknown = send(handle=f"@{MARK}"), send(handle="@nobody")
    assert known["message"].replace(MARK, "nobody") == unknown["message"]
    accepted = service.client.post(
        "/v1/comments",
        json=[
            {"platform": "x", "comment_id": "n", "kol_id": kol, "text": "hi", "created_at": at}
            for kol in (LENA, ZOE)
        ],
        headers=service.limited,
    ).json()
    assert (accepted["accepted"], accepted["rejected"]) == (1, 1)
    assert len(service.get("/v1/comments/x/n")["items"]) == 1


def test_an_import_takes_comments_for_own_kols_only(service: SharedService) -> None:
    at = (NOW - timedelta(minutes=5)).isoformat()
    rows = "".join(f"x,i-{kol},{kol},hi,{at}\n" for kol in (LENA, ZOE, f"{MARK}-gone"))
    sent = service.client.post(
        "/v1/imports",
        content=f"platform,comment_id,kol_id,text,created_at\n{rows}",
        headers=service.limited | {"content-type": "text/csv"},
    )
    path = f"/v1/imports/{sent.json()['import_id']}"
    while (found := service.see(path))["state"] != "finished":
        pass
    assert (found["accepted"], found["rejected"]) == (1, 2)
    assert [one["kol_id"] for one in found["kols"]] == [LENA]
    refused = service.client.get(f"{path}/rejected.csv", headers=service.limited).text
    assert refused.count("this key may not send comments for it") == 2


@pytest.mark.parametrize(
    ("post", "status"),
    [
        ({"post_id": "fresh", "kols": [ZOE]}, 404),
        ({"post_id": "fresh", "kols": [LENA, ZOE]}, 404),
        ({"post_id": f"{MARK}-post-1", "kols": [LENA], "text": "mine now"}, 403),
    ],
)
def test_posts_of_another_kol_cannot_be_sent(
    service: SharedService, post: dict[str, Any], status: int
) -> None:
    body = {"platform": "instagram"} | post
    answer = service.client.post("/v1/posts", json=body, headers=service.limited)
    assert answer.status_code == status, answer.text
    assert service.get(f"/v1/posts/instagram/{MARK}-post-1")["kols"] == [ZOE]
    assert service.client.get("/v1/posts/instagram/fresh").status_code == 404


def test_no_message_names_who_has_an_id_or_a_handle(service: SharedService) -> None:
    for body in ({"new_id": ZOE}, {"new_id": f"{MARK}-old"}):
        path = f"/v1/kols/{LENA}/rename"
        answer = service.client.post(path, json=body, headers=service.limited)
        assert answer.status_code == 409
        says_nothing_of_the_other(answer.text.replace(body["new_id"], ""))
    profile = {"handles": {"instagram": f"@{MARK}"}}
    answer = service.client.put(f"/v1/kols/{LENA}", json=profile, headers=service.limited)
    assert answer.status_code == 409
    says_nothing_of_the_other(answer.text.replace(f"@{MARK}", ""))


def test_merging_needs_both_kols(service: SharedService) -> None:
    path = f"/v1/kols/{LENA}/merge"
    answers = [
        service.client.post(path, json={"into": into}, headers=service.limited)
        for into in (ZOE, "nobody")
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].text.replace(ZOE, "") == answers[1].text.replace("nobody", "")


def test_the_stream_sends_events_of_own_kols_only(service: SharedService) -> None:
    running = service.app.state.service
    scopes, limit = frozenset({Scope.READ}), KolLimit(frozenset({LENA}))
    principal = Principal(PrincipalKind.KEY, "k", "tool", scopes, limit)

    async def collect() -> list[tuple[str | None, str]]:
        found = []
        intake = Intake(running.group_commit, running.kols, running.clock, running.metrics)
        at = (NOW - timedelta(minutes=1)).isoformat()
        items = [
            {"platform": "x", "comment_id": "s", "kol_id": kol, "text": MARK, "created_at": at}
            for kol in (ZOE, LENA)
        ]
        events = stream(running, principal, last_event_id=0)
        try:
            async with asyncio.timeout(3):
                async for event in events:
                    sent = format_sse_event(data_str=event.raw_data, event=event.event).decode()
                    for one in sent.strip().split("\n\n"):
                        name, data = (line.split(": ", 1)[1] for line in one.split("\n"))
                        found.append((name, json.loads(data)["kol_id"]))
                    if len(found) == 1:
                        await intake.take(dict(enumerate(items)))
        except TimeoutError:
            pass
        return found

    assert service.client.portal is not None
    found = service.client.portal.call(collect)
    assert set(found) == {("alert", LENA), ("mood", LENA)}
    wait_until_processed(service.client)


def test_a_comment_on_a_joint_post_is_deleted_in_the_own_stream(service: SharedService) -> None:
    path = "/v1/comments/instagram/on-joint"
    assert service.client.delete(path, headers=service.limited).json()["comments"] == 1
    (left,) = service.get(path)["items"]
    assert left["kol_id"] == ZOE
