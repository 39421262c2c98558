"""The database is deleted, replaced, locked, full or read-only while comments come in.

Each answer is honest: what is acknowledged is there afterwards, all else gets 503, and when the
fault is over the service goes on without a restart where it can.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.util.concurrency import greenlet_spawn

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.errors import StoreError
from serving.settings import Settings
from serving.storage import postgresql, sqlite
from serving.storage.database import Database
from tests.serving.conftest import NOW
from tests.serving.postgres import PostgresServer
from tests.serving.streams import wait_until_processed

Item = Callable[..., dict[str, Any]]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a lock gives up soon."""
    pragmas = [pragma.replace("=30000", "=200") for pragma in sqlite._PRAGMAS]
    claim = [statement.replace("'30s'", "'200ms'") for statement in postgresql._CLAIM]
    assert pragmas != list(sqlite._PRAGMAS)
    assert claim != list(postgresql._CLAIM)
    monkeypatch.setattr(sqlite, "_PRAGMAS", pragmas)
    monkeypatch.setattr(postgresql, "_CLAIM", claim)


@contextmanager
def service(url: str, classifier: SentimentClassifier) -> Iterator[TestClient]:
    settings = Settings(database_url=url, _env_file=None)
    app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def path(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "some.db"))


@pytest.fixture
def client(path: Path, classifier: SentimentClassifier, impatient: None) -> Iterator[TestClient]:
    with service(f"sqlite:///{path}", classifier) as client:
        yield client


def send(client: TestClient, items: list[dict[str, Any]]) -> None:
    answer = client.post("/v1/comments", json=items)
    assert answer.status_code == 202, answer.text
    assert answer.json()["accepted"] == len(items)


def refuse(client: TestClient, items: list[dict[str, Any]], said: str) -> None:
    answer = client.post("/v1/comments", json=items)
    assert (answer.status_code, answer.json()["code"]) == (503, "store"), answer.text
    assert said in answer.json()["detail"]


def stored(client: TestClient) -> list[str]:
    listed = client.get("/v1/kols/lena/comments").json()["items"]
    return sorted(comment["comment_id"] for comment in listed)


def ids(*parts: list[dict[str, Any]]) -> list[str]:
    return sorted(item["comment_id"] for part in parts for item in part)


def test_a_file_that_was_deleted(client: TestClient, path: Path, item: Item) -> None:
    before, during = [item()], [item()]
    send(client, before)
    wait_until_processed(client)
    path.unlink()
    refuse(client, during, "is gone")
    assert client.get("/v1/kols/lena/comments").status_code == 503
    assert not path.exists()  # no empty one in its place


def test_a_file_that_was_moved_and_comes_back(client: TestClient, path: Path, item: Item) -> None:
    before, during = [item()], [item()]
    send(client, before)
    path.rename(path.with_suffix(".away"))
    refuse(client, during, "is gone")
    path.with_suffix(".away").rename(path)
    send(client, during)
    wait_until_processed(client)
    assert stored(client) == ids(before, during)


def test_a_file_that_was_replaced(client: TestClient, path: Path, item: Item, empty: Path) -> None:
    send(client, [item()])
    path.unlink()
    shutil.copy(empty, path)
    refuse(client, [item()], "was replaced by another file")
    assert client.get("/v1/kols/lena/comments").status_code == 503


async def test_a_file_that_vanishes_during_the_commit_is_not_acknowledged(path: Path) -> None:
    database = Database(f"sqlite:///{path}")

    async def write() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO kols (kol_id, registered_at) VALUES ('lena', 1)"
            )
            await asyncio.to_thread(path.unlink)

    with pytest.raises(StoreError, match="is gone"):
        await write()
    await database.close()


def test_a_file_that_is_locked(client: TestClient, path: Path, item: Item) -> None:
    before, during = [item()], [item()]
    send(client, before)
    wait_until_processed(client)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refuse(client, during, "locked")
    other.execute("ROLLBACK")
    other.close()
    send(client, during)
    wait_until_processed(client)
    assert stored(client) == ids(before, during)


def on_writer(client: TestClient, statement: str) -> None:
    """Run a statement on the connection that writes, outside a transaction."""
    database = client.app.state.service.log._database  # type: ignore[attr-defined]

    async def run() -> None:
        connection = await database._writer.raw_connection()
        await connection.driver_connection.execute(statement)
        await greenlet_spawn(connection.close)

    client.portal.call(run)


def test_a_disk_that_is_full(client: TestClient, path: Path, item: Item) -> None:
    before, during = [item()], [item(text=f"{number} " + "x" * 3000) for number in range(500)]
    send(client, before)
    wait_until_processed(client)
    on_writer(client, "PRAGMA max_page_count = 1")  # no more than there are
    refuse(client, during, "full")
    refuse(client, during, "full")
    on_writer(client, "PRAGMA max_page_count = 1000000")
    send(client, during)
    wait_until_processed(client)
    assert len(stored_all(path)) == 501


def stored_all(path: Path) -> list[Any]:
    other = sqlite3.connect(path)
    found = other.execute("SELECT comment_id FROM comments JOIN scores USING (seq)").fetchall()
    other.close()
    return found


def test_a_file_that_turns_read_only(client: TestClient, path: Path, item: Item) -> None:
    before, during = [item()], [item()]
    send(client, before)
    wait_until_processed(client)
    on_writer(client, "PRAGMA query_only = 1")
    refuse(client, during, "readonly")
    assert stored(client) == ids(before)
    on_writer(client, "PRAGMA query_only = 0")
    send(client, during)
    wait_until_processed(client)
    assert stored(client) == ids(before, during)


@pytest.fixture
def database(server: PostgresServer) -> Iterator[str]:
    name = server.create("empty")
    yield name
    if server.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
        server.drop(name)


@pytest.fixture
def on_postgresql(
    server: PostgresServer, database: str, classifier: SentimentClassifier, impatient: None
) -> Iterator[TestClient]:
    with service(server.url(database), classifier) as client:
        yield client


def test_a_postgresql_database_that_was_dropped(
    server: PostgresServer, database: str, on_postgresql: TestClient, item: Item
) -> None:
    send(on_postgresql, [item()])
    server.drop(database)
    refuse(on_postgresql, [item()], "does not exist")


def test_a_postgresql_table_that_is_locked(
    server: PostgresServer, database: str, on_postgresql: TestClient, item: Item
) -> None:
    before, during = [item()], [item()]
    send(on_postgresql, before)
    wait_until_processed(on_postgresql)
    with psycopg.connect(server._dsn(database)) as other:
        other.execute("LOCK TABLE comments IN SHARE MODE")
        refuse(on_postgresql, during, "lock timeout")
    send(on_postgresql, during)
    wait_until_processed(on_postgresql)
    assert stored(on_postgresql) == ids(before, during)


_FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device'
   USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON comments FOR EACH ROW EXECUTE FUNCTION no_room()
"""


def test_a_postgresql_disk_that_is_full(
    server: PostgresServer, database: str, on_postgresql: TestClient, item: Item
) -> None:
    before, during = [item()], [item()]
    send(on_postgresql, before)
    wait_until_processed(on_postgresql)
    server.execute(_FULL, database)
    refuse(on_postgresql, during, "No space left")
    server.execute("DROP TRIGGER no_room ON comments", database)
    send(on_postgresql, during)
    wait_until_processed(on_postgresql)
    assert stored(on_postgresql) == ids(before, during)


def test_a_postgresql_database_that_turns_read_only(
    server: PostgresServer, database: str, on_postgresql: TestClient, item: Item
) -> None:
    before, during = [item()], [item()]
    send(on_postgresql, before)
    wait_until_processed(on_postgresql)
    server.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    lose = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    server.execute(lose)
    refuse(on_postgresql, during, "read-only")
    assert stored(on_postgresql) == ids(before)
    server.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    server.execute(lose)
    send(on_postgresql, during)
    wait_until_processed(on_postgresql)
    assert stored(on_postgresql) == ids(before, during)
