"""An outbox from before payloads had a table is kept whole, and what waits in it is sent."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import JSON, column, table, text

from serving.clock import TestClock
from serving.notify.channels.memory import MemoryChannel
from serving.storage.database import Database
from serving.storage.digest_record import JSON as DIGEST
from serving.storage.digest_record import Digest
from serving.storage.instants import to_micros
from tests.serving.conftest import NOW, NewUrl
from tests.serving.notify.conftest import EVIDENCE, World
from tests.serving.reports.conftest import day as day
from tests.serving.test_migrations import to_version

AT = to_micros(NOW)
OPENED = {"alert_id": "a1", "kol_id": "lena", "kind": "backlash", "severity": "warning",
          "reason": "opened", "at": AT, "opened_at": AT}  # fmt: skip
WAITING = {"state": "waiting", "attempts": 0, "finished_at": None, "error": None}
DELIVERED = {"state": "delivered", "attempts": 1, "finished_at": AT, "error": None}
DEAD = {"state": "dead", "attempts": 8, "finished_at": AT, "error": "answered 404"}
SKIPPED = {"state": "skipped", "attempts": 0, "finished_at": AT,
           "error": "told before the rebuild"}  # fmt: skip


def former_digest(digest: Digest) -> dict[str, Any]:
    """A digest as version 0009 stored it."""
    stored: dict[str, Any] = DIGEST.dump_python(digest, mode="json")
    for kol in stored["kols"]:
        for name in ("comments", "negative_share"):
            kol[f"usual_{name}"] = kol.pop(f"expected_{name}")
    return stored


def former_rows(digest: Digest) -> list[dict[str, Any]]:
    """Deliveries as version 0009 had them: with the whole payload in each."""
    evidence = EVIDENCE.to_dict()
    later = evidence | {"comments": 7}
    ended = {"reason": "resolved", "at": AT + 1, "evidence": later}
    of_alert = [
        {"channel": "crm", **DELIVERED, "page": True},
        {"channel": "desk", **WAITING, "page": True, "due_at": AT - 1, "not_before": AT - 1},
        {"channel": "old", **DEAD, "page": True, "by_hand": True},
        {"channel": "boss", **WAITING, "reason": "unacknowledged", "page": True, "step": 1},
        {"channel": "crm", **SKIPPED, **ended},
        {"channel": "desk", **WAITING, **ended},
    ]
    rows = [OPENED | {"evidence": evidence, "digest": None} | row for row in of_alert]
    of_digest = {
        "alert_id": None, "kol_id": None, "kind": "digest", "severity": "info",
        "reason": digest.every, "at": to_micros(digest.until),
        "opened_at": to_micros(digest.since),
        "evidence": former_digest(digest), "digest": digest.name,
    }  # fmt: skip
    rows += [of_digest | {"channel": "mail", **WAITING}, of_digest | {"channel": "late", **DEAD}]
    for number, row in enumerate(rows):
        row["key"] = f"key-{number}"
        fill = {"recorded_at": AT - 5, "due_at": AT, "not_before": None, "page": False,
                "step": None, "by_hand": False}  # fmt: skip
        rows[number] = fill | row
    return rows


@pytest.fixture
async def world(new_url: NewUrl, clock: TestClock) -> AsyncIterator[World]:
    database = Database(new_url())
    yield World(database, clock)
    await database.close()


async def put_former(world: World, rows: list[dict[str, Any]]) -> None:
    to_version(world.database, "0009")
    columns = [column(name, JSON() if name == "evidence" else None) for name in rows[0]]
    former = table("deliveries", *columns)
    async with world.database.write() as connection:
        for row in rows:
            await connection.execute(former.insert().values(**row))
    await world.database.close()
    world.database.upgrade()


async def all_of(world: World, name: str, order: str) -> list[dict[str, Any]]:
    async with world.database.read() as connection:
        found = await connection.execute(text(f"SELECT * FROM {name} ORDER BY {order}"))
        return [dict(row) for row in found.mappings()]


async def test_every_delivery_is_kept_and_a_payload_is_stored_once(
    world: World, day: Digest
) -> None:
    former = former_rows(day)
    await put_former(world, former)
    deliveries = await world.rows()
    assert [one.key for one in deliveries] == [row["key"] for row in former]
    for one, row in zip(deliveries, former, strict=True):
        assert (one.channel, one.state, one.attempts) == (
            row["channel"], row["state"], row["attempts"],
        )  # fmt: skip
        assert (one.page, one.step, one.by_hand) == (row["page"], row["step"], row["by_hand"])
        assert to_micros(one.due_at) == row["due_at"]
        assert (one.not_before and to_micros(one.not_before)) == row["not_before"]
    assert [one.alert and one.alert.reason for one in deliveries] == [
        "opened", "opened", "opened", "unacknowledged", "resolved", "resolved", None, None,
    ]  # fmt: skip
    assert all(one.alert.evidence == EVIDENCE for one in deliveries[:4] if one.alert)
    assert deliveries[5].alert is not None
    assert deliveries[5].alert.evidence.comments == 7
    assert [one.digest for one in deliveries[6:]] == [day, day]
    assert deliveries[4].error == "notified before the rebuild"
    payloads = await all_of(world, "notification_payloads", "payload_id")
    assert [row["type"] for row in payloads] == ["alert", "alert", "alert", "digest"]
    (of_digest,) = (row for row in payloads if row["type"] == "digest")
    empty = {name for name, value in of_digest.items() if value is None}
    late = {"alert_state", "ended_at", "found_at", "late_comments"}
    assert empty == set(OPENED) | late | {"evidence"}


async def test_what_waits_is_sent_with_the_key_that_it_had(world: World, day: Digest) -> None:
    await put_former(world, former_rows(day))
    world.clock.advance(timedelta(minutes=1))
    channels = {name: MemoryChannel() for name in ("crm", "desk", "boss", "mail", "old", "late")}
    dispatcher = world.dispatcher(channels)
    for name in channels:
        while await dispatcher.step(name) == 0:
            pass
    sent = {name: [one.key for (one,) in channel.sent] for name, channel in channels.items()}
    assert {name: keys for name, keys in sent.items() if keys} == {
        "desk": ["key-1", "key-5"], "boss": ["key-3"],
    }  # fmt: skip
    assert channels["mail"].digests == [("key-6", day)]
    assert channels["late"].digests == []
    assert "waiting" not in await world.states()


async def test_a_downgrade_gives_every_delivery_its_payload_back(world: World, day: Digest) -> None:
    await put_former(world, former_rows(day))
    to_version(world.database, "0009")
    found = await all_of(world, "deliveries", "delivery_id")
    for row, former in zip(found, former_rows(day), strict=True):
        row.pop("delivery_id")
        if isinstance(row["evidence"], str):  # SQLite hands JSON over as text
            row["evidence"] = json.loads(row["evidence"])
        assert row == former
    await world.database.close()
    world.database.upgrade()
    assert [one.key for one in await world.rows()] == [f"key-{number}" for number in range(8)]
