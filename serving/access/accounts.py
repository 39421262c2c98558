"""What people need to sign in, put together."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from serving.access.audit_log import AuditLog
from serving.access.oidc_flow import OidcFlows
from serving.access.oidc_provider import OidcProvider
from serving.access.passwords import Passwords
from serving.access.people import People
from serving.access.refused_requests import RefusedRequests
from serving.access.session_cookie import CookieJar
from serving.access.sessions import Sessions
from serving.access.sign_in import SignIn
from serving.clock import Clock
from serving.errors import ServingError
from serving.outgoing.address_rules import AddressRules
from serving.outgoing.transport import outgoing_client
from serving.settings import Settings
from serving.storage.database import Database
from serving.storage.person_store import PersonStore
from serving.storage.session_store import SessionStore

CALLBACK = "/sign-in/callback"
_SECONDS = 10.0  # for an answer of the provider
_MOST_BYTES = 1_000_000


class SignInMisconfigured(ServingError):
    """The settings of the OpenID provider do not fit together."""

    code = "sign_in_settings"


@dataclass(frozen=True, slots=True)
class Accounts:
    """The parts.

    Attributes:
        people: who has an account.
        sessions: who is signed in.
        sign_in: how people sign in.
        cookies: where the value of a session is.
        provider: the OpenID provider; None if there is none.
        flows: sign-ins that were begun there.
    """

    people: People
    sessions: Sessions
    sign_in: SignIn
    cookies: CookieJar
    provider: OidcProvider | None
    flows: OidcFlows


async def start_accounts(
    settings: Settings,
    database: Database,
    clock: Clock,
    audit_log: AuditLog,
    refusals: RefusedRequests,
    stack: AsyncExitStack,
) -> Accounts:
    """Build the parts, and read who has an account and who is signed in.

    Raises:
        SignInMisconfigured: a setting of the provider is missing, or its secret cannot be read.
    """
    provider = await _provider(settings, clock, stack)
    passwords = Passwords()
    people = People(PersonStore(database), passwords, clock)
    sessions = Sessions(
        SessionStore(database), clock, idle=settings.idle_session, lifetime=settings.whole_session
    )
    await people.load()
    await sessions.load()
    return Accounts(
        people=people,
        sessions=sessions,
        sign_in=SignIn(
            people,
            passwords,
            sessions,
            audit_log,
            refusals,
            clock,
            per_minute=settings.sign_ins_per_minute,
        ),
        cookies=CookieJar(settings.public_url),
        provider=provider,
        flows=OidcFlows(),
    )


async def _provider(settings: Settings, clock: Clock, stack: AsyncExitStack) -> OidcProvider | None:
    if settings.oidc_issuer is None:
        return None
    for name in ("oidc_client_id", "public_url"):
        if getattr(settings, name) is None:
            raise SignInMisconfigured(
                f"with GROUNDSWELL_OIDC_ISSUER set GROUNDSWELL_{name.upper()} too"
            )
    file, secret = settings.oidc_client_secret_file, None
    if file is not None:
        secret = await asyncio.to_thread(_read, file)
    # The admin has named the provider, and a company's own is often in a private network.
    rules = AddressRules(private=True)
    http = outgoing_client(rules, seconds=_SECONDS, most_bytes=_MOST_BYTES)
    await stack.enter_async_context(http)
    return OidcProvider(
        http,
        clock,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id or "",
        client_secret=secret,
        redirect_uri=f"{(settings.public_url or '').rstrip('/')}{CALLBACK}",
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SignInMisconfigured(
            f"GROUNDSWELL_OIDC_CLIENT_SECRET_FILE cannot be read: {error}"
        ) from None
