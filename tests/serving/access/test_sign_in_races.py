"""What ends all sessions also ends one that is being started at that moment."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry
from starlette.requests import HTTPConnection

from serving.access.audit_log import AuditLog
from serving.access.oidc_provider import Identity
from serving.access.passwords import Passwords
from serving.access.people import People
from serving.access.refused_requests import RefusedRequests
from serving.access.role import Role
from serving.access.sessions import Sessions
from serving.access.sign_in import SignIn, SignInRefused
from serving.clock import TestClock
from serving.errors import Conflict
from serving.metrics import Metrics
from serving.storage.audit_store import AuditStore
from serving.storage.database import Database
from serving.storage.person_record import PersonRecord
from serving.storage.person_store import PersonStore
from serving.storage.session_store import SessionStore
from tests.serving.access.browsing import PASSWORD
from tests.serving.access.test_sessions import IDLE, LIFETIME
from tests.serving.conftest import NOW, NewUrl

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CONNECTION = HTTPConnection(
    {
        "type": "http",
        "method": "POST",
        "path": "/sign-in",
        "headers": [],
        "client": ("192.0.2.1", 1),
    }
)


class Parts:
    """The parts of signing in, on a database."""

    def __init__(self, database: Database, hasher: PasswordHasher = QUICK) -> None:
        clock = TestClock(NOW)
        self.passwords = Passwords(hasher)
        self.people = People(PersonStore(database), self.passwords, clock)
        self.sessions = Sessions(SessionStore(database), clock, idle=IDLE, lifetime=LIFETIME)
        audit_log = AuditLog(AuditStore(database), clock)
        metrics = Metrics(CollectorRegistry(), max_kols=0)
        self.sign_in = SignIn(
            self.people,
            self.passwords,
            self.sessions,
            audit_log,
            RefusedRequests(audit_log, metrics, per_minute=1000),
            clock,
            per_minute=1000,
        )

    async def add(self) -> PersonRecord:
        person, _ = await self.people.add(
            email="mai@pr.example",
            name="Mai",
            role=Role.VIEWER,
            brands=None,
            with_password=True,
            issuer=None,
            subject=None,
            actor="admin",
        )
        return await self.people.set_password(person, PASSWORD)

    async def signs_in(self, person: PersonRecord) -> bool:
        try:
            value = await self.sign_in.start_session(CONNECTION, person, "password", None)
        except SignInRefused:
            return False
        return await self.sessions.find(value) is not None


@pytest.fixture
async def database(new_url: NewUrl):  # type: ignore[no-untyped-def]
    database = Database(new_url())
    yield database
    await database.close()


@pytest.mark.parametrize("changes", [{"disabled_at": NOW}, {"password_hash": "another"}])
async def test_a_session_that_starts_as_all_others_end_ends_too(
    database: Database, changes: dict[str, Any]
) -> None:
    parts = Parts(database)
    person = await parts.add()
    assert await parts.signs_in(person)
    await parts.people.change(person.person_id, **changes)  # between the check and the start
    assert not await parts.signs_in(person)
    assert parts.sessions.of_person(person.person_id) == []


async def test_a_password_that_was_reset_meanwhile_is_not_overwritten(database: Database) -> None:
    parts = Parts(database)
    person = await parts.add()
    await parts.people.reset_password(person.person_id)
    for late in (
        parts.people.set_password(person, "một mật khẩu khác"),
        parts.people.hash_again(person, PASSWORD),
    ):
        with pytest.raises(Conflict, match="changed a moment ago"):
            await late


async def test_one_account_is_linked_to_one_at_the_provider(database: Database) -> None:
    parts = Parts(database)
    await parts.add()
    both = [Identity("https://id.example", one, "mai@pr.example") for one in ("a", "b")]
    found = await asyncio.gather(
        *(parts.sign_in.with_identity(CONNECTION, one) for one in both), return_exceptions=True
    )
    assert [type(one).__name__ for one in found].count("PersonRecord") == 1
    linked = parts.people.get("mai@pr.example").subject
    assert (await parts.sign_in.with_identity(CONNECTION, both["ab".index(linked or "")])).subject


async def test_a_hash_of_older_parameters_is_renewed_at_the_sign_in(database: Database) -> None:
    parts = Parts(database)
    person = await parts.add()
    stronger = Parts(database, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    await stronger.people.load()
    found = await stronger.sign_in.with_password(CONNECTION, "mai@pr.example", PASSWORD)
    assert found.password_hash != person.password_hash
    assert not stronger.passwords.is_outdated(found.password_hash or "")
    assert replace(found, password_hash=person.password_hash) == person
    assert await stronger.signs_in(found)
    again = await stronger.sign_in.with_password(CONNECTION, "mai@pr.example", PASSWORD)
    assert again.password_hash == found.password_hash


@pytest.mark.parametrize("how", ["reset", "replaced", "hashed again"])
async def test_a_kill_right_after_a_new_password_leaves_no_session(
    database: Database, how: str
) -> None:
    parts = Parts(database)
    person = await parts.add()
    value = await parts.sign_in.start_session(CONNECTION, person, "password", None)
    if how == "reset":
        await parts.people.reset_password(person.person_id)
    elif how == "replaced":
        await parts.people.set_password(person, "một mật khẩu khác")
    else:
        await parts.people.hash_again(person, PASSWORD)
    restarted = Parts(database)  # nothing that should have followed was done
    await restarted.sessions.load()
    assert (await restarted.sessions.find(value) is not None) == (how == "hashed again")


async def test_a_password_is_not_replaced_if_the_sessions_cannot_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(database)
    person = await parts.add()
    value = await parts.sign_in.start_session(CONNECTION, person, "password", None)

    async def fails(*_: object) -> None:
        raise OSError("killed")

    monkeypatch.setattr("serving.storage.person_store._delete_sessions", fails)
    with pytest.raises(OSError, match="killed"):
        await parts.people.reset_password(person.person_id)
    restarted = Parts(database)
    await restarted.people.load()
    await restarted.sessions.load()
    assert restarted.people.get(person.person_id).password_hash == person.password_hash
    assert await restarted.sessions.find(value) is not None
