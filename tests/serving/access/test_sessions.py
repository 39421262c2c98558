"""Sessions: found by their cookie, rotated, ended by time and by people, kept over a restart."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from serving.access.sessions import MOST_OF_A_PERSON, OVERLAP, ROTATED_AFTER, Sessions
from serving.clock import TestClock
from serving.storage.database import Database
from serving.storage.people_tables import session_tokens
from serving.storage.person_record import PersonRecord
from serving.storage.person_store import PersonStore
from serving.storage.session_record import TokenRecord
from serving.storage.session_store import SessionStore
from tests.serving.conftest import NOW, NewUrl

IDLE, LIFETIME = timedelta(hours=12), timedelta(days=7)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def database(new_url: NewUrl):  # type: ignore[no-untyped-def]
    database = Database(new_url())
    yield database
    await database.close()


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


async def opened(database: Database, clock: TestClock) -> Sessions:
    sessions = Sessions(SessionStore(database), clock, idle=IDLE, lifetime=LIFETIME)
    await sessions.load()
    return sessions


async def start(sessions: Sessions, person: str = "mai", former: str | None = None) -> str:
    return await sessions.start(
        person, method="password", address="192.0.2.1", browser="Firefox", former=former
    )


async def person_of(sessions: Sessions, value: str) -> str | None:
    found = await sessions.find(value)
    return None if found is None else found.person_id


async def test_a_session_is_found_by_its_cookie_and_survives_a_restart(
    database: Database, clock: TestClock
) -> None:
    sessions = await opened(database, clock)
    value = await start(sessions)
    assert len(value) == 43
    assert await person_of(sessions, value) == "mai"
    assert await person_of(sessions, value[:-1]) is None
    assert await person_of(sessions, "\udcff") is None
    again = await opened(database, clock)
    assert await person_of(again, value) == "mai"


async def test_the_value_of_a_cookie_is_not_stored(database: Database, clock: TestClock) -> None:
    value = await start(await opened(database, clock))
    async with database.read() as connection:
        (row,) = (await connection.execute(select(session_tokens))).all()
    assert value not in str(row)
    assert len(row.token_hash) == 64


async def test_a_session_ends_when_it_is_not_used(database: Database, clock: TestClock) -> None:
    sessions = await opened(database, clock)
    value = await start(sessions)
    clock.advance(IDLE - MINUTE)
    assert await person_of(sessions, value) == "mai"
    clock.advance(IDLE - MINUTE)
    again = await opened(database, clock)  # the use above was stored
    assert await person_of(again, value) == "mai"
    clock.advance(IDLE)
    session_id = again._of_token[next(iter(again._of_token))]
    assert not again.is_live(session_id)
    assert await person_of(again, value) is None
    assert await SessionStore(database).all() == ([], [])


async def test_a_session_ends_however_much_it_is_used(database: Database, clock: TestClock) -> None:
    sessions = await opened(database, clock)
    value = await start(sessions)
    for _ in range(14):
        clock.advance(IDLE - MINUTE)
        assert await person_of(sessions, value) == "mai"
    clock.advance(LIFETIME - 14 * (IDLE - MINUTE) - MINUTE)
    assert await person_of(sessions, value) == "mai"
    clock.advance(MINUTE)
    assert await person_of(sessions, value) is None


async def test_sessions_that_ended_are_deleted_at_the_start(
    database: Database, clock: TestClock
) -> None:
    await start(await opened(database, clock))
    clock.advance(IDLE)
    await opened(database, clock)
    assert await SessionStore(database).all() == ([], [])


async def test_a_sign_in_never_keeps_the_value_that_the_browser_had(
    database: Database, clock: TestClock
) -> None:
    """Session fixation: an attacker plants a cookie, and waits until the victim signs in."""
    sessions = await opened(database, clock)
    planted = await start(sessions, "mallory")
    value = await start(sessions, "mai", former=planted)
    assert value != planted
    assert await person_of(sessions, planted) is None
    assert await person_of(await opened(database, clock), planted) is None
    made_up = await start(sessions, "mai", former="made-up")
    assert made_up != "made-up"
    assert await person_of(sessions, "made-up") is None
    assert await person_of(sessions, value) == "mai"


async def test_the_value_is_rotated_with_age(database: Database, clock: TestClock) -> None:
    sessions = await opened(database, clock)
    first = await start(sessions)
    clock.advance(ROTATED_AFTER - MINUTE)
    assert await sessions.rotate(first) is None
    clock.advance(MINUTE)
    second = await sessions.rotate(first)
    assert second is not None
    assert second != first
    assert await sessions.rotate(first) is None  # of several requests at once, one rotates
    clock.advance(5 * MINUTE)
    assert await person_of(sessions, first) == "mai"  # the answer with the new value was lost
    third = await sessions.rotate(first)
    assert third is not None
    assert await person_of(sessions, third) == "mai"
    clock.advance(OVERLAP)
    assert await person_of(sessions, first) == "mai"  # a request that was on its way
    assert await sessions.rotate(first) is None
    again = await opened(database, clock)
    assert await person_of(again, third) == "mai"


class SlowStore(SessionStore):
    """Stores a new value of a cookie when the test lets it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.released = asyncio.Event()

    async def add_token(self, token: TokenRecord) -> None:
        await self.released.wait()
        await super().add_token(token)


async def rotating(
    database: Database, clock: TestClock
) -> tuple[Sessions, SlowStore, str, "list[asyncio.Task[str | None]]"]:
    """A session whose value two pages rotate at once; nothing of it is stored yet."""
    store = SlowStore(database)
    sessions = Sessions(store, clock, idle=IDLE, lifetime=LIFETIME)
    value = await start(sessions)
    clock.advance(ROTATED_AFTER)
    pages = [asyncio.create_task(sessions.rotate(value)) for _ in range(2)]
    await asyncio.sleep(0)
    return sessions, store, value, pages


async def test_pages_that_are_asked_for_at_once_get_one_new_value(
    database: Database, clock: TestClock
) -> None:
    """Two values would compete: whichever the browser does not keep could end the session."""
    _sessions, store, _value, pages = await rotating(database, clock)
    store.released.set()
    found = await asyncio.gather(*pages)
    assert [value is None for value in found] == [False, True]


async def test_a_session_that_ends_while_its_value_is_rotated_has_ended(
    database: Database, clock: TestClock
) -> None:
    sessions, store, value, pages = await rotating(database, clock)
    found = await sessions.find(value)
    assert found is not None
    await sessions.end(found.session_id)
    store.released.set()
    assert await asyncio.gather(*pages) == [None, None]
    assert await store.all() == ([], [])


async def test_a_former_value_ends_the_session_of_whoever_has_it(
    database: Database, clock: TestClock
) -> None:
    """A stolen cookie: the thief and the victim use one session, one of them with an old value."""
    sessions = await opened(database, clock)
    stolen = await start(sessions)
    clock.advance(ROTATED_AFTER)
    newer = await sessions.rotate(stolen)
    assert newer is not None
    assert await person_of(sessions, newer) == "mai"
    clock.advance(OVERLAP + MINUTE)
    assert await person_of(sessions, stolen) is None
    assert await person_of(sessions, newer) is None
    assert await person_of(await opened(database, clock), newer) is None


async def test_signing_out_ends_one_session_or_all(database: Database, clock: TestClock) -> None:
    sessions = await opened(database, clock)
    phone, desk, other = [await start(sessions, name) for name in ("mai", "mai", "linh")]
    found = await sessions.find(phone)
    assert found is not None
    await sessions.end(found.session_id)
    assert await person_of(sessions, phone) is None
    assert not sessions.is_live(found.session_id)
    assert await person_of(sessions, desk) == "mai"
    kept = await sessions.find(desk)
    assert kept is not None
    phone = await start(sessions)
    assert await sessions.end_all("mai", keep=kept.session_id) == 1
    assert await person_of(sessions, phone) is None
    assert await sessions.end_all("mai") == 1
    again = await opened(database, clock)
    assert await person_of(again, desk) is None
    assert await person_of(again, other) == "linh"


async def test_a_person_has_so_many_sessions_and_the_longest_unused_ends(
    database: Database, clock: TestClock
) -> None:
    sessions = await opened(database, clock)
    values = []
    for _ in range(MOST_OF_A_PERSON):
        values.append(await start(sessions))
        clock.advance(MINUTE)
    await sessions.find(values[0])
    clock.advance(MINUTE)
    values.append(await start(sessions))
    found = [await person_of(sessions, value) for value in values]
    assert found.count("mai") == MOST_OF_A_PERSON
    assert found[1] is None
    listed = sessions.of_person("mai")
    assert [one.used_at for one in listed] == sorted((one.used_at for one in listed), reverse=True)


async def test_people_are_kept_as_they_are(database: Database) -> None:
    store = PersonStore(database)
    plain = PersonRecord("p1", "mai@pr.example", "Mai", "viewer", None, "admin", NOW)
    full = PersonRecord(
        "p2", "linh@pr.example", "Linh", "manager", frozenset({"b", "a"}), "admin", NOW + MINUTE,
        "hash", NOW, "https://id.example", "s", "admin", NOW, NOW,
    )  # fmt: skip
    nothing = PersonRecord(
        "p3", "an@pr.example", "An", "viewer", frozenset(), "admin", NOW + 2 * MINUTE
    )
    for person in (full, plain, nothing):
        await store.add(person)
    assert await store.all() == [plain, full, nothing]
