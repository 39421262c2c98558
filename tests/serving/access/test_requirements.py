"""Every route says what it requires, and nobody without it gets an answer from it."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.access.authentication import CALLBACK_PATHS, PUBLIC_PREFIX, READ_PATHS, is_public
from serving.access.principal import Principal, PrincipalKind
from serving.access.scope import Scope
from serving.access.sign_in_redirect import SIGN_IN_PATHS
from serving.api.authorization import Requirement
from serving.app import create_app
from serving.clock import TestClock
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.settings import Settings
from tests.serving.access.route_table import ROUTES, RULES
from tests.serving.conftest import NOW

_TEXT = {"content-type": "text/plain"}
KOLS = {"lena": KolLimit(frozenset({"lena"})), "all": EVERY_KOL}


class HeaderAuthenticator:
    """Believes the header: `x-scopes: read,act`, and `x-kols: lena`."""

    async def authenticate(self, connection: HTTPConnection) -> Principal | None:
        scopes = connection.headers.get("x-scopes")
        if scopes is None:
            return None
        given = frozenset(Scope(scope) for scope in scopes.split(",") if scope)
        kols = KOLS[connection.headers.get("x-kols", "all")]
        return Principal(PrincipalKind.KEY, "k1", "tool", given, kols)

    def is_current(self, _principal: Principal) -> bool:
        return True


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    url = f"sqlite:///{tmp_path_factory.mktemp('access') / 'test.db'}"
    settings = Settings(database_url=url, access="keys", _env_file=None)
    classifier = SentimentClassifier.from_backend(FakeBackend())
    app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.service.access.authenticators.insert(0, HeaderAuthenticator())
        yield client


def test_every_route_is_in_the_table_and_requires_what_it_says() -> None:
    required = {
        f"{method} {path}": _rule(path, requirement) for method, path, requirement in ROUTES
    }
    assert required == RULES


def _rule(path: str, requirement: Requirement | None) -> str:
    if requirement is None:
        assert is_public(path) or path in READ_PATHS
        return "anybody" if is_public(path) else "read"
    rule = " or ".join(requirement.scopes)
    return f"{rule}, every KOL" if requirement.every_kol else rule


@pytest.mark.parametrize("route", RULES)
def test_a_route_answers_whom_the_table_says_and_nobody_else(
    client: TestClient, route: str
) -> None:
    method, path = route.split()
    path = path.replace(":path", "").replace("{", "").replace("}", "")
    scopes, _, whole = RULES[route].partition(", ")
    client.headers["sec-fetch-site"] = "same-origin"  # forms are for browsers
    if scopes == "anybody":
        if path.startswith(PUBLIC_PREFIX):  # as an address that does not exist
            assert client.request(method, path, content=b"x", headers=_TEXT).status_code == 404
            return
        verified = SIGN_IN_PATHS | CALLBACK_PATHS
        assert path in verified or client.request(method, path).status_code == 200
        return
    answer = client.request(method, path)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    if path == "/v1/stream":  # has no end
        return
    needed = scopes.split(" or ")
    for scope in Scope:
        headers = {"x-scopes": scope}
        may = scope in needed or scope is Scope.ADMIN
        assert is_refused(client, method, path, headers) == (None if may else "scope")
        if may:
            limited = is_refused(client, method, path, headers | {"x-kols": "lena"})
            assert limited == ("limit" if whole else None)


def is_refused(client: TestClient, method: str, path: str, headers: dict[str, str]) -> str | None:
    """For what a principal is refused before anything is looked at; None if it is not."""
    answer = client.request(method, path, headers=headers, follow_redirects=False)
    if answer.status_code != 403:
        return None
    detail = answer.json()["detail"]
    if detail.startswith("this needs the scope"):
        return "scope"
    return "limit" if detail.startswith("this shows every KOL") else None


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/metrics", "/", "/v1/nothing"])
def test_everything_else_needs_a_key(client: TestClient, path: str) -> None:
    assert client.get(path, follow_redirects=False).status_code == 401


@pytest.mark.parametrize("path", sorted(READ_PATHS))
def test_the_documentation_needs_the_scope_read(client: TestClient, path: str) -> None:
    every_other = {"x-scopes": "ingest,act,manage"}
    assert client.get(path, headers=every_other, follow_redirects=False).status_code == 403
    read = client.get(path, headers={"x-scopes": "read"}, follow_redirects=False)
    assert read.status_code in (200, 307)


def test_metrics_are_not_for_a_key_that_is_limited_to_some_kols(client: TestClient) -> None:
    limited = {"x-scopes": "read", "x-kols": "lena"}
    assert client.get("/metrics", headers=limited).status_code == 403
    assert client.get("/metrics", headers={"x-scopes": "read"}).status_code == 200
    assert client.get("/v1/kols", headers=limited).status_code == 200


def test_only_admin_holds_other_scopes() -> None:
    for scope in Scope:
        one = Principal(PrincipalKind.KEY, "k", "tool", frozenset({scope}))
        held = {other for other in Scope if one.may(other)}
        assert held == ({*Scope} if scope == Scope.ADMIN else {scope})
