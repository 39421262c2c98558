"""Builds the parts of access control of a service."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog

from serving.access.accounts import Accounts, start_accounts
from serving.access.audit_log import AuditLog
from serving.access.authenticator import Authenticator, OpenAccess
from serving.access.first_key import admin_key_path, first_key
from serving.access.idempotency_keys import IdempotencyKeys
from serving.access.key_ring import KeyOrder, KeyRing
from serving.access.limit_version import LimitVersion
from serving.access.refused_requests import RefusedRequests
from serving.access.scope import Scope
from serving.access.session_authenticator import SessionAuthenticator
from serving.clock import Clock
from serving.metrics import Metrics
from serving.settings import Settings
from serving.storage.audit_store import AuditStore
from serving.storage.brand_store import BrandStore
from serving.storage.database import Database
from serving.storage.key_store import KeyStore
from serving.storage.keyed_request_store import KeyedRequestStore

_log = structlog.get_logger(__name__)
_FIRST_NAME = "admin"
_FIRST_ACTOR = "first start"


@dataclass(frozen=True, slots=True)
class AccessControl:
    """What a service needs to know who asks, and to write it down.

    Attributes:
        authenticators: asked in this order.
        keys: the API keys.
        stored_keys: where they are listed from.
        brands: what KOLs belong to.
        audit_log: where changes are written.
        audit_entries: where they are read.
        refusals: where refused requests are noted.
        accounts: people who sign in.
        idempotency: requests that are sent more than once.
        limit_version: counts the changes of what limited principals see.
    """

    keys: KeyRing
    stored_keys: KeyStore
    brands: BrandStore
    audit_log: AuditLog
    audit_entries: AuditStore
    refusals: RefusedRequests
    accounts: Accounts
    idempotency: IdempotencyKeys
    authenticators: list[Authenticator] = field(default_factory=list)
    limit_version: LimitVersion = field(default_factory=LimitVersion)


async def start_access(
    settings: Settings,
    database: Database,
    clock: Clock,
    metrics: Metrics,
    stack: AsyncExitStack,
) -> AccessControl:
    """Build the parts; make the admin key if no key was ever made, and access needs one.

    Raises:
        KeyFileError: the admin key cannot be written to its file.
    """
    audit_entries, stored_keys = AuditStore(database), KeyStore(database)
    audit_log = AuditLog(audit_entries, clock)
    refusals = RefusedRequests(audit_log, metrics, per_minute=settings.refusals_per_minute)
    keys = KeyRing(
        stored_keys, clock, refusals, requests_per_minute=settings.key_requests_per_minute
    )
    await keys.start()
    stack.push_async_callback(keys.stop)
    brands = BrandStore(database)
    accounts = await start_accounts(settings, database, clock, audit_log, refusals, stack)
    access = AccessControl(
        keys,
        stored_keys,
        brands,
        audit_log,
        audit_entries,
        refusals,
        accounts,
        IdempotencyKeys(KeyedRequestStore(database), clock),
    )
    if settings.access == "open":
        access.authenticators.append(OpenAccess())
        return access
    if keys.is_empty:
        await make_first_key(settings, keys)
    access.authenticators.append(keys)
    access.authenticators.append(
        SessionAuthenticator(
            accounts.people,
            accounts.sessions,
            accounts.cookies,
            brands.kols_of,
            settings.public_url,
        )
    )
    return access


async def make_first_key(settings: Settings, keys: KeyRing) -> None:
    """Make the admin key, and log where it is."""
    path = admin_key_path(settings)
    trusted = settings.admin_key_file is not None
    key, written = await asyncio.to_thread(first_key, path, trusted=trusted)
    await keys.create(KeyOrder(_FIRST_NAME, frozenset({Scope.ADMIN})), _FIRST_ACTOR, key=key)
    _log.warning(
        "admin_key_written" if written else "admin_key_taken_from_file", file=str(path.absolute())
    )
