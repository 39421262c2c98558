"""The settings of sessions and of the OpenID provider."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.access.accounts import SignInMisconfigured
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.shown_settings import shows

StartAccounts = Callable[..., AbstractContextManager[TestClient]]
ISSUER = "https://id.example/realm"
OIDC = {"oidc_issuer": ISSUER, "oidc_client_id": "gs", "public_url": "https://pr.example/gs/"}


@pytest.fixture
def start(settings: Settings, classifier: SentimentClassifier, clock: TestClock) -> StartAccounts:
    @contextmanager
    def change(**changed: Any) -> Iterator[TestClient]:
        given = settings.model_copy(update={"access": "keys"} | changed)
        app = create_app(given, classifier=classifier, clock=clock)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client

    return change


@shows("session_idle", "session_lifetime")
def test_sessions_last_as_the_settings_say(start: StartAccounts) -> None:
    with start(session_idle=60, session_lifetime=3600) as client:
        sessions = client.app.state.service.access.accounts.sessions  # type: ignore[attr-defined]
        assert sessions._idle == timedelta(minutes=1)
        assert sessions._lifetime == timedelta(hours=1)


@shows("sign_ins_per_minute")
def test_an_address_makes_so_many_attempts(start: StartAccounts) -> None:
    with start(sign_ins_per_minute=2) as client:
        fields = {"email": "nobody@pr.example", "password": "guess"}
        headers = {"Origin": "http://testserver"}
        found = [client.post("/sign-in", data=fields, headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in found] == [401, 401, 429]


@shows("oidc_issuer", "oidc_client_id", "oidc_client_secret_file", "oidc_name")
def test_people_sign_in_at_the_provider_of_the_settings(
    start: StartAccounts, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    with start(**OIDC, oidc_client_secret_file=tmp_path / "secret") as client:
        provider = client.app.state.service.access.accounts.provider  # type: ignore[attr-defined]
        assert provider.issuer == ISSUER
        assert (provider._client_id, provider._client_secret) == ("gs", "s3cret")
        assert provider._redirect_uri == "https://pr.example/gs/sign-in/callback"
        assert "Sign in with id.example<" in client.get("/sign-in").text
    with start(**OIDC, oidc_name="Acme <SSO>") as client:
        provider = client.app.state.service.access.accounts.provider  # type: ignore[attr-defined]
        assert provider._client_secret is None
        assert "Sign in with Acme &lt;SSO&gt;<" in client.get("/sign-in").text
    with start() as client:
        assert "Sign in with" not in client.get("/sign-in").text


@pytest.mark.parametrize("missing", ["oidc_client_id", "public_url"])
def test_half_a_provider_is_refused_at_the_start(start: StartAccounts, missing: str) -> None:
    with (
        pytest.raises(SignInMisconfigured, match=f"set GROUNDSWELL_{missing.upper()} too"),
        start(**OIDC | {missing: None}),
    ):
        pass


def test_a_secret_that_cannot_be_read_is_refused_at_the_start(
    start: StartAccounts, tmp_path: Path
) -> None:
    with (
        pytest.raises(SignInMisconfigured, match="GROUNDSWELL_OIDC_CLIENT_SECRET_FILE"),
        start(**OIDC, oidc_client_secret_file=tmp_path / "none"),
    ):
        pass


def test_where_access_is_open_nobody_signs_in(start: StartAccounts) -> None:
    with start(access="open") as client:
        page = client.get("/sign-in?language=vi")
        assert "không cần đăng nhập" in page.text
        assert "<form" not in page.text
