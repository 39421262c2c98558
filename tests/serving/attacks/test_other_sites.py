"""Pages of other sites, and other names for this machine: nothing of a browser gets through."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.access.host_check import host_of
from serving.access.origin_check import Sender, sender_of
from serving.access.response_headers import RESPONSE_HEADERS
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings

Item = Callable[..., dict[str, Any]]
CROSS_SITE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
]
WRITES = [
    ("POST", "/v1/comments"),
    ("POST", "/v1/posts"),
    ("POST", "/v1/imports"),
    ("POST", "/v1/score"),
    ("PUT", "/v1/kols/lena"),
    ("POST", "/v1/kols/lena/archive"),
    ("PUT", "/v1/kols/lena/policy"),
    ("POST", "/v1/silences"),
    ("POST", "/v1/alerts/a/actions"),
    ("POST", "/alerts/a"),
    ("DELETE", "/v1/kols/lena"),
]


@pytest.fixture
def public(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock
) -> Iterator[TestClient]:
    changed = settings.model_copy(
        update={
            "public_url": "https://pr.example.com/gs",
            "allowed_hosts": "groundswell, Tool.example",
        }
    )
    with TestClient(create_app(changed, classifier=classifier, clock=clock)) as client:
        yield client


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
def test_cross_site_post_without_content_type(
    client: TestClient, item: Item, headers: dict[str, str]
) -> None:
    request = client.build_request("POST", "/v1/comments", json=item(), headers=headers)
    del request.headers["content-type"]
    answer = client.send(request)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert client.get("/v1/status").json()["log"]["last_seq"] == 0


def test_a_body_without_content_type_is_refused_whoever_sends_it(
    client: TestClient, item: Item
) -> None:
    for media in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        request = client.build_request("POST", "/v1/comments", json=item())
        del request.headers["content-type"]
        if media is not None:
            request.headers["content-type"] = media
        answer = client.send(request)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert client.get("/v1/status").json()["log"]["last_seq"] == 0


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
def test_resend_cross_site(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/v1/deliveries/1/resend", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert client.post("/v1/deliveries/1/resend").status_code == 404  # a program may ask


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_no_write_is_taken_from_another_site(client: TestClient, method: str, path: str) -> None:
    for headers in CROSS_SITE:
        answer = client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


def test_what_only_reads_may_be_linked_from_other_sites(client: TestClient) -> None:
    for path in ("/v1/kols", "/docs", "/healthz"):
        assert client.get(path, headers={"sec-fetch-site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ({"sec-fetch-site": "same-origin", "host": "pr.local"}, Sender.OWN_PAGE),
        ({"sec-fetch-site": "none", "host": "pr.local"}, Sender.OTHER_SITE),
        ({"origin": "http://pr.local", "host": "pr.local"}, Sender.OWN_PAGE),
        ({"origin": "http://pr.local:81", "host": "pr.local"}, Sender.OTHER_SITE),
        ({"origin": "https://pr.example.com", "host": "10.0.0.7:8000"}, Sender.OWN_PAGE),
        ({"origin": "http://pr.example.com", "host": "10.0.0.7:8000"}, Sender.OTHER_SITE),
        ({"origin": "https://pr.example.com.evil.example", "host": "a"}, Sender.OTHER_SITE),
        ({"origin": "", "host": ""}, Sender.OTHER_SITE),
        ({"origin": "null", "host": "null"}, Sender.OTHER_SITE),
        ({"host": "pr.local"}, Sender.PROGRAM),
    ],
)
def test_who_sends(headers: dict[str, str], sender: Sender) -> None:
    assert sender_of(headers, "https://pr.example.com/gs") is sender
    if "example" not in headers.get("origin", ""):
        assert sender_of(headers, None) is sender


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "testserver.evil.example", "localhost.evil.example"),
        *("127.0.0.1.evil.example", "10.0.0.7", "", "a@testserver", "testserver/x", "[::1", "a b"),
    ],
)
def test_host_evil_example(public: TestClient, item: Item, host: str) -> None:
    for answer in (
        public.get("/v1/kols", headers={"host": host}),
        public.get("/docs", headers={"host": host}),
        public.post("/v1/comments", json=item(), headers={"host": host}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (421, "unknown_host")
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "host",
    [
        *("testserver", "localhost", "LOCALHOST:8000", "127.0.0.1:1", "127.1.2.3", "[::1]:8000"),
        *("pr.example.com", "pr.example.com.", "groundswell:8000", "tool.EXAMPLE"),
    ],
)
def test_own_names(public: TestClient, host: str) -> None:
    assert public.get("/v1/kols", headers={"host": host}).status_code == 200


def test_without_settings_only_loopback_names_and_its_own_address_are_right(
    client: TestClient,
) -> None:
    assert client.get("/healthz", headers={"host": "localhost"}).status_code == 200
    assert client.get("/healthz", headers={"host": "pr.example.com"}).status_code == 421


def arrived(client: TestClient, *hosts: bytes) -> int:
    """The status of a request that came to 10.0.0.7."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/healthz",
        "raw_path": b"/healthz",
        "query_string": b"",
        "headers": [(b"host", host) for host in hosts],
        "server": ("::ffff:10.0.0.7", 8000),
        "client": ("10.0.0.9", 1),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "asgi": {"version": "3.0"},
    }
    asyncio.run(client.app(scope, receive, send))
    return statuses[0]


def test_the_address_at_which_a_request_arrives_is_right(client: TestClient) -> None:
    assert arrived(client, b"10.0.0.7:8000") == 200
    for hosts in ((), (b"10.0.0.8",), (b"evil.example",), (b"10.0.0.7", b"evil.example")):
        assert arrived(client, *hosts) == 421


@pytest.mark.parametrize(
    ("authority", "host"),
    [("a:1", "a"), ("[::1]:80", "::1"), ("a:x", None), ("u@a", None), ("a/b", None), ("", None)],
)
def test_the_host_of_an_authority(authority: str, host: str | None) -> None:
    assert host_of(authority) == host


def test_every_answer_says_what_a_browser_may_do(client: TestClient, item: Item) -> None:
    answers = {
        "json": client.get("/v1/kols"),
        "missing": client.get("/v1/nothing"),
        "metrics": client.get("/metrics"),
        "docs": client.get("/docs"),
        "script": client.get("/static-offline-docs/swagger-ui-bundle.js"),
        "page": client.get("/alerts/none"),
        "refused": client.post("/v1/comments", content=b"x"),
        "problem": client.post("/v1/comments", json=item(text=1)),
    }
    for name, answer in answers.items():
        for header in RESPONSE_HEADERS:
            assert header in answer.headers, (name, header)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_an_unexpected_error_says_it_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.app.state, "service", None)  # type: ignore[attr-defined]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert RESPONSE_HEADERS.items() <= {
        name.title(): value for name, value in answer.headers.items()
    }.items() | {("X-Content-Type-Options", "nosniff")}
