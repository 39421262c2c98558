"""The OpenID provider of the company: where people are sent, and what it says of them."""

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from serving.access.oidc_flow import OidcFlow
from serving.addresses import is_loopback
from serving.clock import Clock
from serving.errors import ServingError

T = TypeVar("T")
_LEEWAY = 60  # seconds by which the provider's clock may differ
_FRESH = 3600.0  # seconds for which what the provider publishes is kept
_KEYS_EVERY = 60.0  # least seconds between two requests for its keys
# Signed with a key that only the provider has; never `none`, and never a secret that we share.
_ALGORITHMS = frozenset(
    f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512)
) | {"EdDSA", "Ed25519"}


class ProviderFailed(ServingError):
    """The provider cannot be reached, or its answer cannot be trusted."""

    code = "provider"


class ProviderMetadata(msgspec.Struct, frozen=True):
    """What a provider publishes about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Identity(msgspec.Struct, frozen=True):
    """Who the provider says that somebody is.

    Attributes:
        issuer: the provider.
        subject: their id there, which never changes.
        email: their e-mail address if the provider has verified it.
    """

    issuer: str
    subject: str
    email: str | None


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str | None = None


class OidcProvider:
    """One provider, by its issuer.

    What authlib and joserfc check is left to them: signatures, claims, PKCE. Connections are ours.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        clock: Clock,
        *,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        redirect_uri: str,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is asked of the provider yet.

        Args:
            http: follows no redirects, and bounds sizes and times.
            clock: the time by which tokens expire.
            issuer: the provider's address.
            client_id: who we are there.
            client_secret: our password there; None for a public client.
            redirect_uri: where the provider sends people back to.
            steady: reads a clock that nobody can set, in seconds.
        """
        self.issuer = issuer
        self._http = http
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._steady = steady
        self._metadata: tuple[float, ProviderMetadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def address(self, flow: OidcFlow, language: str) -> str:
        """Where to send a browser so that its person signs in.

        Raises:
            ProviderFailed: the provider cannot be reached, or says what it must not.
        """
        metadata = await self._published()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid email profile",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": create_s256_code_challenge(flow.verifier),
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        base = metadata.authorization_endpoint
        return f"{base}{'&' if '?' in base else '?'}{urlencode(query)}"

    async def identity(self, flow: OidcFlow, answer: Mapping[str, str]) -> Identity:
        """Who has signed in at the provider.

        Args:
            flow: the sign-in that the browser began.
            answer: the query with which the provider sent it back.

        Raises:
            ProviderFailed: the answer does not belong to the sign-in, or cannot be trusted.
        """
        metadata = await self._published()
        if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
            raise ProviderFailed("the answer does not belong to this sign-in: state differs")
        given = answer.get("iss")
        if given != self.issuer and (
            given is not None or metadata.authorization_response_iss_parameter_supported
        ):
            raise ProviderFailed("the answer is from another provider: iss differs")
        if "error" in answer:
            raise ProviderFailed(f"the provider refused: {answer['error'][:100]}")
        tokens = await self._exchange(metadata, flow, answer.get("code", ""))
        claims = await self._claims(metadata, flow, tokens)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise ProviderFailed("the token is not valid: sub")
        if "email" not in claims and metadata.userinfo_endpoint and tokens.access_token:
            more = await self._userinfo(metadata.userinfo_endpoint, tokens.access_token)
            if more.get("sub") != subject:
                raise ProviderFailed("the provider answers about somebody else: sub differs")
            claims = more
        email = claims.get("email")
        verified = claims.get("email_verified") is True and isinstance(email, str)
        return Identity(self.issuer, subject, email if verified else None)

    async def _exchange(self, metadata: ProviderMetadata, flow: OidcFlow, code: str) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": flow.verifier,
        }
        auth = None
        if self._client_secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            auth = httpx.BasicAuth(_encoded(self._client_id), _encoded(self._client_secret))
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        request = self._http.build_request("POST", metadata.token_endpoint, data=form)
        return _decoded(await self._send(request, auth), _Tokens)

    async def _claims(
        self, metadata: ProviderMetadata, flow: OidcFlow, tokens: _Tokens
    ) -> Mapping[str, Any]:
        """The claims of a token that is signed by the provider, for us, now, for this sign-in."""
        algorithms = sorted(_ALGORITHMS & {*metadata.id_token_signing_alg_values_supported})
        try:
            try:
                keys = await self._signing_keys(metadata, most_age=_FRESH)
                token = jwt.decode(tokens.id_token, keys, algorithms=algorithms)
            except (InvalidKeyIdError, ValueError):  # signed by a key that is new
                keys = await self._signing_keys(metadata, most_age=_KEYS_EVERY)
                token = jwt.decode(tokens.id_token, keys, algorithms=algorithms)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "nonce": {"essential": True, "value": flow.nonce},
                },
                {
                    "nonce": flow.nonce,
                    "client_id": self._client_id,
                    "access_token": tokens.access_token,
                },
            )
            claims.validate(now=int(self._clock.now().timestamp()), leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderFailed(f"the token is not valid: {error}") from None
        found: Mapping[str, Any] = dict(claims)
        return found

    async def _userinfo(self, address: str, access_token: str) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"}
        self._check_address(address)
        request = self._http.build_request("GET", address, headers=headers)
        return _decoded(await self._send(request), dict[str, Any])

    async def _signing_keys(self, metadata: ProviderMetadata, *, most_age: float) -> KeySet:
        now = self._steady()
        if self._keys is None or now - self._keys[0] > most_age:
            request = self._http.build_request("GET", metadata.jwks_uri)
            published = _decoded(await self._send(request), dict[str, Any])
            try:
                self._keys = now, KeySet.import_key_set(published)  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise ProviderFailed(f"the provider's keys cannot be read: {error}") from None
        return self._keys[1]

    async def _published(self) -> ProviderMetadata:
        now = self._steady()
        if self._metadata is None or now - self._metadata[0] > _FRESH:
            self._check_address(self.issuer)
            address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = _decoded(
                await self._send(self._http.build_request("GET", address)), ProviderMetadata
            )
            if found.issuer != self.issuer:
                raise ProviderFailed(
                    f"GROUNDSWELL_OIDC_ISSUER is {self.issuer!r}, but the provider calls itself "
                    f"{found.issuer[:200]!r}; write it as the provider does"
                )
            for one in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
                self._check_address(one)
            self._metadata = now, found
        return self._metadata[1]

    def _check_address(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme == "https" or (
            parts.scheme == "http" and is_loopback(parts.hostname or "")
        ):
            return
        raise ProviderFailed(f"{address[:200]!r} is not https; a provider is asked over TLS only")

    async def _send(self, request: httpx.Request, auth: httpx.Auth | None = None) -> bytes:
        try:
            answer = await self._http.send(request, auth=auth)
        except (httpx.HTTPError, ServingError) as error:
            raise ProviderFailed(f"{request.url.host} cannot be asked: {error}") from None
        if answer.status_code != 200:
            raise ProviderFailed(f"{request.url.host} answered {answer.status_code}")
        return answer.content


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderFailed(f"the provider's answer cannot be read: {error}") from None


def _encoded(text: str) -> str:
    """Text as RFC 6749, 2.3.1 has it before it goes into Basic."""
    return urlencode({"": text})[1:]
