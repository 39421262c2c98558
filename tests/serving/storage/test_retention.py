"""What is older than it is to be kept goes; what is open, waits or is young stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.access_tables import audit_log
from serving.storage.database import Database
from serving.storage.import_record import ImportCount, ImportState, RejectedRow
from serving.storage.import_store import ImportStore
from serving.storage.import_tables import import_rejections, imports
from serving.storage.instants import to_micros
from serving.storage.retention_store import RetentionStore
from serving.storage.tables import (
    actions,
    alert_events,
    alert_ids,
    alerts,
    deliveries,
    notification_payloads,
)
from tests.serving.conftest import NOW

OLD, YOUNG = NOW - timedelta(days=40), NOW - timedelta(days=5)
BEFORE = NOW - timedelta(days=30)


async def put_alert(
    connection: AsyncConnection, alert_id: str, at: datetime, state: str = "resolved"
) -> None:
    common: dict[str, Any] = {
        "alert_id": alert_id,
        "kol_id": "lena",
        "kind": "backlash",
        "severity": "warning",
    }
    ended, evidence = to_micros(at), {"drivers": None}
    opened = {"opened_at": to_micros(OLD), "updated_at": ended, "evidence": evidence}
    await connection.execute(alerts.insert().values(**common, state=state, **opened))
    event = {"reason": "opened", "at": ended, "evidence": evidence}
    await connection.execute(alert_events.insert().values(**common, **event))
    action = {"action": "close", "actor": "mai", "at": ended, "seen_at": ended}
    await connection.execute(actions.insert().values(**common, **action))
    derived = {"derived_id": f"derived-{alert_id}", "alert_id": alert_id}
    await connection.execute(alert_ids.insert().values(**derived))


async def put_delivery(
    connection: AsyncConnection,
    key: str,
    alert_id: str | None,
    finished_at: datetime | None,
    *,
    payload_id: int | None = None,
) -> int:
    if payload_id is None:
        made = notification_payloads.insert().values(type="alert", alert_id=alert_id)
        found = await connection.execute(made.returning(notification_payloads.c.payload_id))
        payload_id = int(found.scalar_one())
    values = {
        "key": key,
        "channel": "desk",
        "payload_id": payload_id,
        "alert_id": alert_id,
        "state": "waiting" if finished_at is None else "delivered",
        "attempts": 1,
        "recorded_at": 1,
        "due_at": 1,
        "finished_at": None if finished_at is None else to_micros(finished_at),
    }
    await connection.execute(deliveries.insert().values(**values))
    return payload_id


async def names(database: Database, table: Table, column: str) -> list[Any]:
    async with database.read() as connection:
        return sorted((await connection.execute(select(table.c[column]))).scalars())


async def all_of(expire: Callable[[datetime], Any]) -> int:
    total = 0
    while count := await expire(BEFORE):
        total += count
    return total


async def test_alerts_go_with_all_that_is_theirs(database: Database) -> None:
    async with database.write() as connection:
        for alert_id, at, state in (
            ("old", OLD, "resolved"),
            ("withdrawn", OLD, "revised"),
            ("young", YOUNG, "resolved"),
            ("open", OLD, "open"),
            ("waits", OLD, "resolved"),
        ):
            await put_alert(connection, alert_id, at, state)
        await put_delivery(connection, "1", "old", YOUNG)
        await put_delivery(connection, "2", "waits", None)
        await put_delivery(connection, "3", "young", OLD)
    assert await all_of(RetentionStore(database).expire_alerts) == 2
    left = ["open", "waits", "young"]
    for table in (alerts, alert_events, actions, alert_ids):
        assert await names(database, table, "alert_id") == left
    assert await names(database, deliveries, "key") == ["2", "3"]
    assert await names(database, notification_payloads, "alert_id") == ["waits", "young"]


async def test_more_alerts_than_go_at_once(database: Database) -> None:
    async with database.write() as connection:
        for number in range(50):
            await put_alert(connection, f"a{number}", OLD)
    store = RetentionStore(database)
    assert await store.expire_alerts(BEFORE) == 20
    assert await all_of(store.expire_alerts) == 30


async def test_notifications_go_and_payloads_that_nobody_carries(database: Database) -> None:
    async with database.write() as connection:
        await put_alert(connection, "ended", OLD)
        await put_alert(connection, "open", OLD, "open")
        shared = await put_delivery(connection, "old", "ended", OLD)
        await put_delivery(connection, "young", "ended", YOUNG, payload_id=shared)
        await put_delivery(connection, "alone", "ended", OLD)
        await put_delivery(connection, "of an open one", "open", OLD)
        await put_delivery(connection, "waits", "ended", None)
        await put_delivery(connection, "digest", None, OLD)
    assert await all_of(RetentionStore(database).expire_deliveries) == 3
    assert await names(database, deliveries, "key") == ["of an open one", "waits", "young"]
    carried = await names(database, deliveries, "payload_id")
    assert await names(database, notification_payloads, "payload_id") == carried
    assert shared in carried


async def test_imports_go_with_their_rows(database: Database) -> None:
    store = ImportStore(database)
    rejected = [RejectedRow(0, number, "text", "is empty", "missing_text") for number in range(450)]
    for at, state in (
        (OLD, ImportState.FINISHED),
        (OLD, ImportState.READING),
        (YOUNG, ImportState.FINISHED),
    ):
        import_id = await store.add("a.csv", at)
        await store.save(
            import_id, at, state=state, fraction=1.0, count=ImportCount(), rejected=rejected
        )
    assert await all_of(RetentionStore(database).expire_imports) == 451
    assert await names(database, imports, "import_id") == [2, 3]
    assert set(await names(database, import_rejections, "import_id")) == {2, 3}


async def test_old_entries_of_the_audit_log_go(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.storage.retention_store._AT_ONCE", 2)
    entry = {"action": "create_key", "target": "/v1/keys", "kols": [], "detail": {}}
    async with database.write() as connection:
        for at in (OLD, YOUNG, OLD, OLD):
            row = entry | {"at": to_micros(at), "outcome": "done"}
            await connection.execute(audit_log.insert().values(row))
    store = RetentionStore(database)
    assert [await store.expire_audit_log(BEFORE) for _ in range(3)] == [2, 1, 0]
    assert await names(database, audit_log, "at") == [to_micros(YOUNG)]
