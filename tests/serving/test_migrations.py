"""An older database is brought up to this version and loses nothing; the schema is the tables'."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from fastapi.testclient import TestClient
from sqlalchemy import func, inspect, select

from model.classifier import SentimentClassifier
from serving import storage
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from serving.storage.database import Database
from serving.storage.step_store import StepStore
from serving.storage.tables import metadata, minute_scores
from tests.serving.conftest import NOW, NewUrl
from tests.serving.postgres import PostgresServer
from tests.serving.streams import storm, wait_until_processed


@contextmanager
def service(settings: Settings, classifier: SentimentClassifier) -> Iterator[TestClient]:
    with TestClient(create_app(settings, classifier=classifier, clock=TestClock(NOW))) as client:
        wait_until_processed(client)
        yield client


def alert(client: TestClient) -> Any:
    (listed,) = client.get("/v1/alerts").json()["items"]
    found = client.get(f"/v1/alerts/{listed['alert_id']}").json()
    for event in found["events"]:
        event.pop("event_id")
    return found


def to_version(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(*storage.__path__) / "migrations"))
    config.attributes["engine"] = database._backend.migrator()
    command.downgrade(config, revision)


def test_a_database_without_minute_scores_keeps_its_alerts_and_continues(
    new_url: NewUrl, classifier: SentimentClassifier
) -> None:
    settings = Settings(database_url=new_url(), _env_file=None)
    items = storm("lena", NOW - timedelta(days=2))
    with service(settings, classifier) as client:
        for first in range(0, len(items) - 50, 500):
            client.post("/v1/comments", json=items[first : min(first + 500, len(items) - 50)])
        wait_until_processed(client)
        before = alert(client)
    assert before["trace"]["points"]

    database = Database(settings.database_url)
    to_version(database, "0001")
    tables = inspect(database._backend.migrator()).get_table_names()
    assert "alerts" in tables
    assert "minute_scores" not in tables

    with service(settings, classifier) as client:
        after = alert(client)
        assert after["trace"].pop("points") == []
        assert after == before | {"trace": {k: before["trace"][k] for k in after["trace"]}}
        client.post("/v1/comments", json=items[-50:])
        wait_until_processed(client)

    async def drop_derived() -> int:
        async with database.read() as connection:
            made = await connection.scalar(select(func.count()).select_from(minute_scores))
        await StepStore(database).clear_derived()
        await database.close()
        return made or 0

    assert asyncio.run(drop_derived()) > 10
    with service(settings, classifier) as client:
        assert alert(client) == before


def test_the_migrations_make_the_tables(new_url: NewUrl) -> None:
    engine = Database(new_url())._backend.migrator()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_text_sorts_by_its_bytes_wherever_it_is_stored(server: PostgresServer) -> None:
    found = server.execute(
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')",
        "empty",
    )
    assert len(found) > 40
    assert [row for row in found if row[2] != "C"] == []
