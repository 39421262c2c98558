"""Tokens of a provider: what is taken, and every way in which one is refused."""

import base64
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from serving.access.oidc_flow import SECONDS, OidcFlow, OidcFlows
from serving.access.oidc_provider import OidcProvider, ProviderFailed
from serving.clock import TestClock
from tests.serving.conftest import NOW

ISSUER = "https://id.example/realm"
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "k1"})
Sent = httpx.Request


class FakeProvider:
    """A provider that signs real tokens, and can be made to lie."""

    def __init__(self) -> None:
        self.keys: list[Any] = [KEY]
        self.signed_by: Any = KEY
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "k1"}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.token: str | None = None
        self.asked: list[Sent] = []
        self.flow: OidcFlow | None = None
        self.clock = TestClock(NOW)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        self.provider = OidcProvider(
            http,
            self.clock,
            issuer=ISSUER,
            client_id="gs",
            client_secret="s3c:ret",
            redirect_uri="https://pr.example/sign-in/callback",
        )

    def answer(self, request: Sent) -> httpx.Response:
        self.asked.append(request)
        match request.url.path.removeprefix("/realm"):
            case "/.well-known/openid-configuration":
                base = {"issuer": ISSUER} | {
                    name: f"{ISSUER}/{name}"
                    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
                }
                return httpx.Response(200, json=base | self.metadata)
            case "/jwks_uri":
                keys = [one.as_dict(private=isinstance(one, OctKey)) for one in self.keys]
                return httpx.Response(200, json={"keys": keys})
            case "/token_endpoint":
                return httpx.Response(200, json=self.tokens())
            case "/userinfo":
                return httpx.Response(200, json=self.userinfo)
        return httpx.Response(404)

    def tokens(self) -> dict[str, Any]:
        assert self.flow is not None
        now = int(NOW.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": "gs",
            "sub": "s-1",
            "nonce": self.flow.nonce,
            "iat": now,
            "exp": now + 300,
            "email": "mai@pr.example",
            "email_verified": True,
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.token or jwt.encode(
            self.header, claims, self.signed_by, algorithms=[self.header["alg"]]
        )
        return {"id_token": token, "access_token": "at", "token_type": "Bearer"}

    async def identity(self, **answer: str) -> Any:
        self.flow = self.flow or OidcFlow("/account", 0.0)
        given = {"state": self.flow.state, "code": "c0de"} | answer
        return await self.provider.identity(self.flow, given)


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider()


async def test_a_browser_is_sent_with_what_binds_the_answer_to_it(fake: FakeProvider) -> None:
    flow = OidcFlow("/account", 0.0)
    address = urlsplit(await fake.provider.address(flow, "vi"))
    assert (
        f"{address.scheme}://{address.netloc}{address.path}" == f"{ISSUER}/authorization_endpoint"
    )
    assert {name: values[0] for name, values in parse_qs(address.query).items()} == {
        "response_type": "code",
        "client_id": "gs",
        "redirect_uri": "https://pr.example/sign-in/callback",
        "scope": "openid email profile",
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": create_s256_code_challenge(flow.verifier),
        "code_challenge_method": "S256",
        "ui_locales": "vi",
    }
    assert len({flow.state, flow.nonce, flow.verifier}) == 3
    assert min(map(len, (flow.state, flow.nonce, flow.verifier))) == 43


async def test_a_token_that_is_right_says_who_it_is(fake: FakeProvider) -> None:
    found = await fake.identity()
    assert (found.issuer, found.subject, found.email) == (ISSUER, "s-1", "mai@pr.example")
    exchange = next(one for one in fake.asked if one.url.path.endswith("/token_endpoint"))
    sent = parse_qs(exchange.content.decode())
    assert fake.flow is not None
    assert sent["code_verifier"] == [fake.flow.verifier]
    assert sent["code"] == ["c0de"]
    assert "client_secret" not in sent
    assert exchange.headers["authorization"] == httpx.BasicAuth("gs", "s3c%3Aret")._auth_header


BAD: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "no issuer": {"claims": {"iss": None}},
    "for another service": {"claims": {"aud": "other"}},
    "for another service, but got by us": {"claims": {"aud": "other", "azp": "gs"}},
    "for us among others, without azp": {"claims": {"aud": ["gs", "other"]}},
    "for us among others, got by another": {"claims": {"aud": ["gs", "other"], "azp": "other"}},
    "no audience": {"claims": {"aud": None}},
    "expired": {"claims": {"exp": int(NOW.timestamp()) - 120}},
    "without an end": {"claims": {"exp": None}},
    "an end that is no number": {"claims": {"exp": "never"}},
    "not valid yet": {"claims": {"nbf": int(NOW.timestamp()) + 120}},
    "issued in the future": {"claims": {"iat": int(NOW.timestamp()) + 7200}},
    "of another sign-in": {"claims": {"nonce": "stolen"}},
    "without a nonce": {"claims": {"nonce": None}},
    "without a subject": {"claims": {"sub": None}},
    "an empty subject": {"claims": {"sub": ""}},
    "a subject that is no text": {"claims": {"sub": 7}},
    "signed by somebody else": {"signed_by": OTHER},
    "an access token of another": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
}


@pytest.mark.parametrize("name", BAD)
async def test_a_token_that_is_not_right_is_refused(fake: FakeProvider, name: str) -> None:
    for attribute, value in BAD[name].items():
        setattr(fake, attribute, value)
    with pytest.raises(ProviderFailed, match="the token is not valid"):
        await fake.identity()


async def test_us_among_others_is_right_if_we_got_it(fake: FakeProvider) -> None:
    fake.claims = {"aud": ["gs", "other"], "azp": "gs"}
    assert (await fake.identity()).subject == "s-1"


async def test_a_token_without_a_signature_is_refused(fake: FakeProvider) -> None:
    """`alg: none`, also where the provider says that it signs nothing."""
    fake.metadata = {"id_token_signing_alg_values_supported": ["none", "RS256"]}
    fake.flow = OidcFlow("/", 0.0)
    right = fake.tokens()["id_token"]
    header = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    for signature in ("", right.split(".")[2]):
        fake.token = f"{header}.{right.split('.')[1]}.{signature}"
        with pytest.raises(ProviderFailed, match="the token is not valid"):
            await fake.identity()


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused() -> None:
    """Algorithm confusion: HS256 with what everybody knows."""
    header = encoded(json.dumps({"alg": "HS256", "kid": "k1"}).encode())
    secret = OctKey.generate_key(256, {"kid": "k1"})
    for key, published in (
        (KEY.as_pem(private=False), KEY),
        (b"s3c:ret", KEY),
        (secret.raw_value, secret),
    ):
        fake = FakeProvider()
        fake.metadata = {"id_token_signing_alg_values_supported": ["HS256", "RS256"]}
        fake.flow = OidcFlow("/", 0.0)
        fake.keys = [published]
        claims = fake.tokens()["id_token"].split(".")[1]
        signature = hmac.digest(key, f"{header}.{claims}".encode(), "sha256")
        fake.token = f"{header}.{claims}.{encoded(signature)}"
        with pytest.raises(ProviderFailed, match="the token is not valid"):
            await fake.identity()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def test_an_elliptic_key_is_taken_if_the_provider_announces_it(fake: FakeProvider) -> None:
    curve = ECKey.generate_key("P-256", {"kid": "e1"})
    fake.keys, fake.signed_by, fake.header = [KEY, curve], curve, {"alg": "ES256", "kid": "e1"}
    with pytest.raises(ProviderFailed, match="the token is not valid"):
        await fake.identity()
    fake = FakeProvider()
    fake.keys, fake.signed_by, fake.header = [KEY, curve], curve, {"alg": "ES256", "kid": "e1"}
    fake.metadata = {"id_token_signing_alg_values_supported": ["ES256"]}
    assert (await fake.identity()).subject == "s-1"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"state": "another"}, "state differs"),
        ({"state": ""}, "state differs"),
        ({"state": "é"}, "state differs"),
        ({"iss": "https://evil.example"}, "iss differs"),
        ({"error": "access_denied"}, "the provider refused: access_denied"),
    ],
)
async def test_an_answer_that_belongs_to_no_sign_in_is_refused(
    fake: FakeProvider, answer: dict[str, str], why: str
) -> None:
    with pytest.raises(ProviderFailed, match=why):
        await fake.identity(**answer)
    assert not any(one.url.path.endswith("/token_endpoint") for one in fake.asked)


async def test_a_provider_that_says_who_answers_must_say_it(fake: FakeProvider) -> None:
    """Mix-up of two providers (RFC 9207)."""
    fake.metadata = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(ProviderFailed, match="iss differs"):
        await fake.identity()
    assert (await fake.identity(iss=ISSUER)).subject == "s-1"


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_address_that_is_not_verified_says_nothing(
    fake: FakeProvider, verified: object
) -> None:
    fake.claims = {"email_verified": verified}
    assert (await fake.identity()).email is None


async def test_an_address_may_be_where_the_provider_tells_about_people(fake: FakeProvider) -> None:
    fake.claims = {"email": None, "email_verified": None}
    fake.metadata = {"userinfo_endpoint": f"{ISSUER}/userinfo"}
    fake.userinfo = {"sub": "s-1", "email": "mai@pr.example", "email_verified": True}
    assert (await fake.identity()).email == "mai@pr.example"
    assert fake.asked[-1].headers["authorization"] == "Bearer at"
    fake.userinfo = {"sub": "s-2", "email": "linh@pr.example", "email_verified": True}
    with pytest.raises(ProviderFailed, match="about somebody else"):
        await fake.identity()


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "https://evil.example"}, "write it as the provider does"),
        ({"issuer": f"{ISSUER}/"}, "write it as the provider does"),
        ({"token_endpoint": "http://id.example/token"}, "is not https"),
        ({"jwks_uri": "http://id.example/keys"}, "is not https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "is not https"),
        ({"jwks_uri": 7}, "cannot be read"),
    ],
)
async def test_a_provider_that_is_not_what_it_should_be_is_refused(
    fake: FakeProvider, metadata: dict[str, Any], why: str
) -> None:
    fake.metadata = metadata
    with pytest.raises(ProviderFailed, match=why):
        await fake.provider.address(OidcFlow("/", 0.0), "en")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(302, headers={"location": "https://evil.example"}),
        httpx.ConnectError("refused"),
    ],
)
async def test_a_provider_that_fails_is_named(fake: FakeProvider, answer: Any) -> None:
    def fail(request: Sent) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        found: httpx.Response = answer
        return found

    fake.provider._http = httpx.AsyncClient(transport=httpx.MockTransport(fail))
    with pytest.raises(ProviderFailed):
        await fake.provider.address(OidcFlow("/", 0.0), "en")


async def test_a_new_key_of_the_provider_is_fetched_but_not_for_every_token(
    fake: FakeProvider,
) -> None:
    steady = [0.0]
    fake.provider._steady = lambda: steady[0]
    await fake.identity()
    new = RSAKey.generate_key(2048, {"kid": "k2"})
    fake.keys, fake.signed_by, fake.header = [KEY, new], new, {"alg": "RS256", "kid": "k2"}
    for _ in range(3):  # anybody can send tokens with ids that nobody has
        with pytest.raises(ProviderFailed):
            await fake.identity()
    assert sum(one.url.path.endswith("/jwks_uri") for one in fake.asked) == 1
    steady[0] += 61
    assert (await fake.identity()).subject == "s-1"
    assert sum(one.url.path.endswith("/jwks_uri") for one in fake.asked) == 2


def test_a_sign_in_is_finished_once_in_time_and_in_the_browser_that_began_it() -> None:
    steady = [0.0]
    flows = OidcFlows(lambda: steady[0])
    value, flow = flows.begin("/account")
    assert flows.take(None) is None
    assert flows.take("another") is None
    assert flows.take(value) is flow
    assert flows.take(value) is None
    late, _ = flows.begin("/account")
    steady[0] += SECONDS + 1
    assert flows.take(late) is None


def test_sign_ins_that_nobody_finishes_do_not_pile_up() -> None:
    flows = OidcFlows()
    first, _ = flows.begin("/")
    for _ in range(10_000):
        last, _ = flows.begin("/")
    assert flows.take(first) is None
    assert flows.take(last) is not None
