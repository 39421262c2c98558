"""Every setting changes what the service does. A setting without such a test fails this file."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving import startup
from serving.app import create_app
from serving.cli import hosting
from serving.cli import main as cli
from serving.clock import TestClock
from serving.logs import configure_logging
from serving.pipeline.retention import RetentionPeriods
from serving.settings import Settings
from serving.sources import source_service
from tests.serving import test_request_settings as test_request_settings  # shows some of them
from tests.serving.access import test_account_settings as test_account_settings  # and some more
from tests.serving.conftest import NOW
from tests.serving.shown_settings import SHOWN, shows
from tests.serving.streams import storm, wait_until_processed

T = TypeVar("T")
Item = Callable[..., dict[str, Any]]
CHANNELS = """
[channels.pr]
type = "webhook"
url = "http://127.0.0.1:9/hook"
secret_env = "PR_SECRET"

[[routes]]
channels = ["pr"]
"""


@dataclass
class Start:
    """Starts the service with some settings changed, and keeps what each part was given."""

    settings: Settings
    classifier: SentimentClassifier
    clock: TestClock
    given: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @contextmanager
    def __call__(self, **changed: Any) -> Iterator[TestClient]:
        self.given.clear()
        settings = self.settings.model_copy(update=changed)
        app = create_app(settings, classifier=self.classifier, clock=self.clock)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client

    def recording(self, name: str, part: Callable[..., Any]) -> Callable[..., Any]:
        def build(*arguments: Any, **named: Any) -> Any:
            self.given.setdefault(name, []).append({"": arguments} | named)
            return part(*arguments, **named)

        return build


@pytest.fixture
def start(
    settings: Settings,
    classifier: SentimentClassifier,
    clock: TestClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Start:
    found = Start(settings, classifier, clock)
    for name in (
        "Database",
        "Dispatcher",
        "GroupCommit",
        "NotificationOutbox",
        "RetentionWorker",
        "SnapshotLimits",
        "StepStore",
        "outgoing_client",
    ):
        part = getattr(startup, name)
        monkeypatch.setattr(startup, name, found.recording(name, part))
    return found


@pytest.fixture
def channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PR_SECRET", "0123456789abcdef")
    path = tmp_path / "channels.toml"
    path.write_text(CHANNELS)
    return path


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield root
    root.setLevel(level)
    root.handlers[:] = handlers
    structlog.reset_defaults()


@shows("access", "admin_key_file", "key_requests_per_minute", "refusals_per_minute")
def test_keys_are_needed_made_and_limited_as_the_settings_say(start: Start, tmp_path: Path) -> None:
    def seen(key: str, times: int) -> list[int]:
        headers = {"Authorization": f"Bearer {key}"}
        return [client.get("/v1/kols", headers=headers).status_code for _ in range(times)]

    with start(access="open") as client:
        assert client.get("/v1/kols").status_code == 200
    limits = {"key_requests_per_minute": 2, "refusals_per_minute": 1}
    with start(access="keys", admin_key_file=tmp_path / "own.key", **limits) as client:
        assert seen((tmp_path / "own.key").read_text().strip(), 3) == [200, 200, 429]
        assert seen("gsk_", 2) == [401, 429]


@shows("host", "port")
def test_the_service_listens_where_the_settings_say(
    root_logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def listen(host: str, port: int) -> None:
        asked.append((host, port))
        raise hosting.CannotListen("taken")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hosting, "listen", listen)
    monkeypatch.setenv("GROUNDSWELL_HOST", "127.0.0.2")
    monkeypatch.setenv("GROUNDSWELL_PORT", "8123")
    assert cli.run(["serve"]) == 1
    assert asked == [("127.0.0.2", 8123)]


@shows("database_url", "database_password_file")
def test_the_database_is_the_one_of_the_settings(start: Start, tmp_path: Path) -> None:
    password = tmp_path / "password"
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    with start(database_url=url, database_password_file=password):
        assert start.given["Database"] == [{"": (url, password)}]
        assert (tmp_path / "elsewhere.db").exists()


@shows("model", "model_threads")
def test_the_model_is_the_one_of_the_settings(
    settings: Settings, classifier: SentimentClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(path: str | None, *, threads: int | None) -> SentimentClassifier:
        loaded.append((path, threads))
        return classifier

    monkeypatch.setattr(SentimentClassifier, "load", load)
    changed = settings.model_copy(update={"model": "some/model", "model_threads": 3})
    with TestClient(create_app(changed)) as client:
        assert client.get("/v1/status").json()["model"] == classifier.model_id
    assert loaded == [("some/model", 3)]


@shows("log_level", "log_format")
def test_log_lines_have_the_level_and_the_form_of_the_settings(
    settings: Settings, root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log = structlog.get_logger("serving")
    configure_logging(settings.model_copy(update={"log_level": "warning", "log_format": "json"}))
    log.info("quiet")
    log.warning("loud", why="test")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line).items() >= {"event": "loud", "level": "warning", "why": "test"}.items()
    configure_logging(settings.model_copy(update={"log_level": "info", "log_format": "console"}))
    log.info("quiet")
    line = capsys.readouterr().err
    assert "quiet" in line
    with pytest.raises(json.JSONDecodeError):
        json.loads(line)


@shows("sensitivity")
def test_sensitivity_decides_what_is_an_alert(start: Start) -> None:
    def alerts(**changed: Any) -> tuple[float, list[Any]]:
        url = f"{start.settings.database_url}{len(changed)}"
        with start(database_url=url, **changed) as client:
            items = storm("lena", NOW - timedelta(hours=30))
            for first in range(0, len(items), 500):
                client.post("/v1/comments", json=items[first : first + 500])
            wait_until_processed(client)
            policy = client.get("/v1/kols/lena/policy").json()
            return policy["effective"]["sensitivity"], client.get("/v1/alerts").json()["items"]

    effective, found = alerts()
    assert (effective, len(found)) == (1.0, 1)
    assert alerts(sensitivity=1e-300) == (1e-300, [])


@shows("max_body_bytes", "max_items")
def test_a_request_is_bounded_by_the_settings(start: Start, item: Item) -> None:
    with start(max_body_bytes=2000, max_items=2) as client:
        assert client.post("/v1/comments", json=[item(), item()]).status_code == 202
        many = client.post("/v1/comments", json=[item(), item(), item()])
        assert (many.status_code, many.json()["code"]) == (422, "too_many_items")
        texts = client.post("/v1/score", json={"texts": ["x"] * 3})
        assert (texts.status_code, texts.json()["code"]) == (422, "too_many_items")
        assert client.post("/v1/comments", json=item(text="x" * 2000)).status_code == 413
    with start(max_items=3) as client:
        assert client.post("/v1/comments", json=[item(), item(), item()]).status_code == 202
        assert client.post("/v1/comments", json=item(text="x" * 2000)).status_code == 202


@shows("log_queue")
def test_the_log_takes_as_many_comments_as_the_settings_say(start: Start) -> None:
    with start(log_queue=7):
        assert start.given["GroupCommit"][0]["capacity"] == 7


@shows("score_queue")
def test_the_model_takes_as_many_texts_as_the_settings_say(start: Start, item: Item) -> None:
    with start(score_queue=2, batch_size=100) as client:
        assert client.post("/v1/score", json={"texts": ["a", "b"]}).status_code == 200
        assert client.post("/v1/score", json={"texts": ["a", "b", "c"]}).status_code == 422
        client.post("/v1/comments", json=[item() for _ in range(5)])
        wait_until_processed(client)  # in steps that the queue can hold


def _commits(client: TestClient) -> float:
    name = 'groundswell_stage_seconds_count{stage="score"} '
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


@shows("batch_size")
def test_a_step_takes_as_many_comments_as_the_settings_say(start: Start, item: Item) -> None:
    with start(batch_size=2) as client:
        client.post("/v1/comments", json=[item() for _ in range(6)])
        wait_until_processed(client)
        assert _commits(client) == 3


@shows("idle_after")
def test_a_silence_as_long_as_the_settings_say_closes_the_last_minute(
    start: Start, item: Item, clock: TestClock
) -> None:
    with start(idle_after=600) as client:
        service = client.app.state.service  # type: ignore[attr-defined]

        client.post("/v1/comments", json=item(created_at=NOW.isoformat()))
        wait_until_processed(client)
        client.portal.call(service.pipeline.stop)  # type: ignore[union-attr]

        def watermark() -> str:
            client.portal.call(service.pipeline.step)  # type: ignore[union-attr]
            return str(client.get("/v1/kols/lena").json()["status"]["watermark"])

        at_once = watermark()
        clock.advance(timedelta(seconds=599))
        assert watermark() == at_once
        clock.advance(timedelta(seconds=1))
        assert watermark() > at_once


@shows("late_horizon")
def test_checkpoints_are_kept_as_long_as_the_settings_say(start: Start) -> None:
    with start(late_horizon=90.0):
        assert start.given["StepStore"][0]["horizon"] == timedelta(seconds=90)


@shows("snapshot_comments", "snapshot_after")
def test_snapshots_are_written_as_often_as_the_settings_say(start: Start) -> None:
    with start(snapshot_comments=7, snapshot_after=90.0):
        (limits,) = start.given["SnapshotLimits"]
    assert limits[""] == (7, timedelta(seconds=90))


@shows("metrics_max_kols")
def test_as_many_kols_have_labels_as_the_settings_say(start: Start, item: Item) -> None:
    with start(metrics_max_kols=1) as client:
        client.post("/v1/comments", json=[item(kol_id="a"), item(kol_id="b")])
        lines = client.get("/metrics").text
    assert 'groundswell_comments_received_total{kol="a",outcome="accepted"} 1.0' in lines
    assert 'groundswell_comments_received_total{kol="_other",outcome="accepted"} 1.0' in lines


@shows("channels")
def test_the_channels_are_those_of_the_file(start: Start, channels: Path) -> None:
    with start() as client:
        assert client.app.state.service.dispatcher.channels == []  # type: ignore[attr-defined]
    with start(channels=channels) as client:
        service = client.app.state.service  # type: ignore[attr-defined]
        assert service.dispatcher.channels == ["pr"]
        assert [route.channels for route in service.notification_config.routes] == [("pr",)]
        assert start.given["NotificationOutbox"][0][""][0] == service.notification_config.routes


@shows(
    "public_url",
    "notify_attempts",
    "notify_timeout",
    "notify_max_age",
    "late_page_within",
    "outgoing_proxy",
)
def test_notifications_are_sent_as_the_settings_say(start: Start, channels: Path) -> None:
    with start(
        channels=channels,
        public_url="https://pr.example",
        notify_attempts=3,
        notify_timeout=4.5,
        outgoing_proxy="http://proxy.example:3128",
        notify_max_age=60.0,
        late_page_within=90.0,
    ):
        (dispatcher,), (outbox,) = start.given["Dispatcher"], start.given["NotificationOutbox"]
        assert dispatcher["public_url"] == "https://pr.example"
        assert dispatcher["attempts"] == 3
        assert dispatcher["timeout"] == 4.5
        (http,) = start.given["outgoing_client"]
        assert (http["seconds"], http["proxy"]) == (4.5, "http://proxy.example:3128")
        assert outbox["max_age"] == timedelta(minutes=1)
        assert outbox["late_page_within"] == timedelta(seconds=90)


@shows("max_import_bytes", "import_folder")
def test_a_file_is_kept_in_its_folder_and_may_be_so_large(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock, tmp_path: Path
) -> None:
    changed = settings.model_copy(update={"max_import_bytes": 1024, "import_folder": tmp_path})
    with TestClient(create_app(changed, classifier=classifier, clock=clock)) as client:
        assert len(list(tmp_path.glob("groundswell-imports-*"))) == 1
        raw = {"content-type": "application/octet-stream"}
        for size, status in ((1024, 202), (1025, 413)):
            answer = client.post("/v1/imports", content=b"x" * size, headers=raw)
            assert answer.status_code == status


@shows(
    "retain_comments_days",
    "retain_alerts_days",
    "retain_deliveries_days",
    "retain_imports_days",
    "retain_audit_days",
    "repeat_window",
)
def test_things_are_kept_as_long_as_the_settings_say(start: Start) -> None:
    with start(
        retain_comments_days=1,
        retain_alerts_days=2,
        retain_deliveries_days=3,
        retain_imports_days=4,
        retain_audit_days=5,
        repeat_window=6 * 86_400.0,
    ):
        (given,) = start.given["RetentionWorker"]
        assert given["periods"] == RetentionPeriods(*(timedelta(days=n) for n in range(1, 7)))


@shows("author_ids", "author_key_file")
def test_authors_are_hashed_as_the_settings_say(start: Start, tmp_path: Path) -> None:
    with start(author_key_file=tmp_path / "a.key") as client:
        service = client.app.state.service  # type: ignore[attr-defined]
        assert service.group_commit.author_ids.hashed("ann") == "ann"
    assert not (tmp_path / "a.key").exists()
    with start(author_ids="hashed", author_key_file=tmp_path / "a.key") as client:
        service = client.app.state.service  # type: ignore[attr-defined]
        assert service.group_commit.author_ids.hashed("ann").startswith("hash-")
    assert (tmp_path / "a.key").exists()


@shows("source_key_file", "source_secrets", "source_private_addresses", "watched_folders")
def test_sources_get_what_the_settings_say(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = start.recording("SourceBuilder", source_service.SourceBuilder)
    monkeypatch.setattr(source_service, "SourceBuilder", builder)
    with start(
        source_key_file=tmp_path / "s.key",
        source_secrets=tmp_path / "secrets",
        source_private_addresses=True,
        watched_folders=(tmp_path / "exports",),
    ):
        (given,) = start.given["SourceBuilder"]
    given["box"].seal({"token": "t"})
    assert (tmp_path / "s.key").exists()
    assert given["secrets_folder"] == tmp_path / "secrets"
    assert given["rules"].allow("10.0.0.1")
    assert given["folders"] == (tmp_path / "exports",)
    with start():
        (given,) = start.given["SourceBuilder"]
    assert not given["rules"].allow("10.0.0.1")


def test_every_setting_is_shown_to_matter() -> None:
    assert set(Settings.model_fields) == SHOWN
