"""What is said of a database that cannot be used, and that one process writes."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.cli import main as cli
from serving.clock import TestClock
from serving.errors import StoreError
from serving.settings import Settings
from serving.storage import postgresql
from serving.storage.database import Database
from tests.serving.conftest import NOW, NewUrl
from tests.serving.postgres import PASSWORD, PostgresServer


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "cannot be read; write it like sqlite:///groundswell.db or postgresql://"),
        ("mysql://here/db", "names 'mysql'; write it like sqlite"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_a_url_that_names_no_database(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        Database(url)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the folder of .* does not exist"):
        Database(f"sqlite:///{tmp_path}/nowhere/a.db").upgrade()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("hello" * 1000)
    with pytest.raises(StoreError, match=r"a\.db cannot be used: file is not a database"):
        Database(f"sqlite:///{tmp_path}/a.db").upgrade()


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    url = "postgresql://groundswell:secret@127.0.0.1:1/groundswell?connect_timeout=3"
    assert cli.run(["db", "upgrade", "--database-url", url]) == 1
    said = capsys.readouterr().err
    assert "postgresql://groundswell:***@127.0.0.1:1/groundswell cannot be used" in said
    assert "Connection refused" in said
    assert "secret" not in said


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "serving.storage.postgresql", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setitem(sys.modules, "psycopg.errors", None)
    with pytest.raises(StoreError, match=r'pip install "groundswell\[postgres\]"'):
        Database("postgresql://here/db")


def test_a_newer_version_wrote_it(new_url: NewUrl) -> None:
    url = new_url()

    async def become_newer() -> None:
        database = Database(url)
        async with database.write() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await database.close()

    asyncio.run(become_newer())
    with pytest.raises(StoreError, match="was written by a newer version of Groundswell"):
        Database(url).upgrade()


def test_the_password_may_stand_in_the_url_or_in_a_file(
    server: PostgresServer, tmp_path: Path
) -> None:
    name = server.create()
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    with pytest.raises(StoreError, match=f"{name} cannot be used: .*no password supplied"):
        Database(server.tcp_url(name)).upgrade()
    Database(server.tcp_url(name), file).upgrade()
    database = Database(server.tcp_url(name, password=PASSWORD))
    database.upgrade()
    assert PASSWORD not in database.label
    with pytest.raises(StoreError, match="password authentication failed"):
        Database(server.tcp_url(name, password="wrong"), file).upgrade()
    with pytest.raises(StoreError, match=r"database_password_file cannot be read: .*nowhere"):
        Database(server.tcp_url(name), tmp_path / "nowhere")
    server.drop(name)


def test_a_role_that_may_not_make_tables(server: PostgresServer) -> None:
    name = server.create()
    server.execute("CREATE ROLE reader LOGIN")
    url = server.url(name).replace("groundswell@", "reader@")
    with pytest.raises(StoreError, match="permission denied for schema public"):
        Database(url).upgrade()
    server.drop(name)
    server.execute("DROP ROLE reader")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds another writer gives up soon."""
    soon = [statement.replace("'5s'", "'300ms'") for statement in postgresql._CLAIM]
    assert soon != list(postgresql._CLAIM)
    monkeypatch.setattr(postgresql, "_CLAIM", soon)


@pytest.mark.usefixtures("impatient")
async def test_one_process_writes(
    server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.url(server.create("empty"))
    first, second = Database(url), Database(url)
    await first.claim()
    with pytest.raises(StoreError, match=r"another Groundswell writes to .*; stop it first"):
        await second.claim()
    assert await asyncio.to_thread(cli.run, ["db", "rebuild", "--database-url", url]) == 1
    assert "another Groundswell writes to" in capsys.readouterr().err
    async with second.read() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM comments")) == 0
    await first.close()
    await second.claim()
    await second.close()


@pytest.mark.usefixtures("impatient")
async def test_a_writer_that_lost_its_connection_takes_the_lock_again(
    server: PostgresServer,
) -> None:
    name = server.create("empty")
    first, second = Database(server.url(name)), Database(server.url(name))
    await first.claim()
    lose = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    assert server.execute(lose, name) == [(True,)]
    await first.claim()
    with pytest.raises(StoreError, match="another Groundswell writes"):
        await second.claim()
    server.execute(lose, name)
    await second.claim()
    with pytest.raises(StoreError, match="another Groundswell writes"):
        await first.claim()
    for database in (first, second):
        await database.close()
    server.drop(name)


def test_odd_text_is_looked_for_and_not_found(
    new_url: NewUrl, classifier: SentimentClassifier, item: Callable[..., dict[str, Any]]
) -> None:
    settings = Settings(database_url=new_url(), _env_file=None)
    app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.post("/v1/comments", json=item(text="a\0b")).status_code == 202
        listed = client.get("/v1/kols/lena/comments").json()["items"]
        assert [comment["text"] for comment in listed] == ["a\ufffdb"]
        for path in ("/v1/alerts/%00", "/v1/alerts/a%00/chart.png"):
            assert client.get(path).status_code == 404
        for path in (
            "/v1/alerts?kol_id=%00",
            "/v1/kols/lena/comments?author_id=%00",
            "/v1/deliveries?channel=a%00",
            "/v1/feedback?kol_id=%00",
        ):
            assert client.get(path).status_code == 200, path
