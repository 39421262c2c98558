"""Makes a key in the database of a service that is stopped."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime

from prometheus_client import CollectorRegistry

from serving.access.access_control import start_access
from serving.access.key_ring import KeyOrder
from serving.access.principal import LOCAL
from serving.access.scope import Scope
from serving.cli import terminal
from serving.clock import SystemClock
from serving.errors import StoreError
from serving.metrics import Metrics
from serving.settings import login_name
from serving.storage.audit_record import AuditOutcome, AuditRecord
from serving.storage.database import Database


async def create_key(
    database_url: str, name: str, scopes: Sequence[Scope], expires_at: datetime | None
) -> str:
    """Make a key and write it to the audit log. Returns the key as it is sent.

    Raises:
        StoreError: there is no such database, it cannot be used, or a service runs on it.
        Conflict: a usable key has this name.
    """
    settings = terminal.settings(database_url=database_url, access="open")
    database, clock = (
        Database(settings.database_url, settings.database_password_file),
        SystemClock(),
    )
    if database.file is not None and not database.file.exists():
        raise StoreError(f"there is no database {database.label}; name that of the service")
    database.upgrade()
    metrics = Metrics(CollectorRegistry(), max_kols=0)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await database.claim()
        access = await start_access(settings, database, clock, metrics, stack)
        actor = login_name() or LOCAL.name
        order = KeyOrder(name, frozenset(scopes), expires_at=expires_at)
        key, record = await access.keys.create(order, actor)
        await access.audit_entries.add(
            AuditRecord(
                entry_id=0,
                at=clock.now(),
                principal_kind=LOCAL.kind,
                principal_id=LOCAL.id,
                principal_name=actor,
                address=None,
                action="create_key",
                target="groundswell keys create --database-url",
                kols=(),
                detail={
                    "name": name,
                    "scopes": " ".join(sorted(scopes)),
                    "key_id": record.key_id,
                },
                outcome=AuditOutcome.DONE,
                status=None,
            )
        )
    return key.written
