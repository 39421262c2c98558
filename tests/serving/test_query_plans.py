"""No statement of a running service reads a whole table that grows, as SQLite plans it."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.conftest import NOW
from tests.serving.streams import storm, wait_until_processed

_CHANNELS = """
[channels.pr]
type = "webhook"
url = "http://127.0.0.1:9/hook"
secret_env = "PR_SECRET"

[channels.boss]
type = "webhook"
url = "http://127.0.0.1:9/hook"
secret_env = "PR_SECRET"

[[routes]]
channels = ["pr"]
escalate = [{ after = "15m", to = ["boss"] }]
"""

_PAGE = "reads one page in the order of an index, and ends there"
_FEW = "people make its rows one by one"
_FAULTS = "unexpected errors make its rows one by one"
_RENAME = "a KOL is renamed, which people do one by one"
_MEMBERS = "the members of one array"
_START = "once, at the start"
_ONE = "whether it has a row"
# What may be read whole, by the table and a part of the statement, and why.
_ALLOWED = {
    ("alerts", r"FROM alerts ORDER BY alerts\.opened_at DESC, alerts\.alert_id DESC LIMIT"): _PAGE,
    ("deliveries", r"\.kol_id ORDER BY deliveries\.delivery_id DESC LIMIT"): _PAGE,
    ("kols", r"ORDER BY kols\.kol_id LIMIT"): _PAGE,
    ("audit_log", r"ORDER BY audit_log\.entry_id DESC LIMIT"): _PAGE,
    ("api_keys", r"ORDER BY api_keys\.created_at DESC.* LIMIT"): _PAGE,
    ("imports", r"ORDER BY imports\.import_id DESC LIMIT"): _PAGE,
    ("imports", r"^UPDATE imports"): _START,
    ("imports", r"ORDER BY imports\.import_id LIMIT"): _FEW,
    ("imports", r"^SELECT imports\.import_id, imports\.limited_to FROM imports WHERE"): _RENAME,
    ("anon_1", r"FROM json_each\("): _MEMBERS,
    ("anon_2", r"FROM json_each\("): _MEMBERS,
    ("silences", ""): _FEW,
    ("erasures", ""): _FEW,
    ("brands", ""): _FEW,
    ("sources", ""): _FEW,
    ("brand_kols", r"FROM brand_kols$"): "the list of brands names the KOLs of each",
    ("kols", r"^SELECT count"): "a count of KOLs; one number a KOL is read",
    ("kols", r"^SELECT kols\.kol_id, kols\.name FROM kols WHERE"): "a digest of all KOLs",
    ("reruns", ""): "its rows are what is to be done, and are deleted once that is done",
    ("api_keys", r"ORDER BY api_keys\.created_at, api_keys\.key_id$"): _START,
    ("people", r"ORDER BY people\.created_at, people\.person_id$"): _START,
    ("person_brands", r"FROM person_brands$"): _START,
    ("sessions", r"ORDER BY sessions\.created_at$"): _START,
    ("session_tokens", r"ORDER BY session_tokens\.issued_at$"): _START,
    ("kols", r"^SELECT kols\.kol_id FROM kols WHERE kols\.deleted_at IS NOT NULL$"): _START,
    ("alembic_version", ""): _START,
    ("digests", r"FROM digests$"): _FEW,
    ("engine_states", r"^SELECT engine_states\.kol_id FROM engine_states LIMIT"): _ONE,
    ("scores", r"^SELECT scores\.seq FROM scores LIMIT"): _ONE,
    ("alert_ids", r"FROM alert_ids$"): _START,
    ("held_kols", ""): _FAULTS,
    ("set_aside", ""): _FAULTS,
    ("progress", ""): "it has a handful of rows",
    ("stored_facts", ""): "it has a handful of rows",
}
# What may be sorted before a page of it is returned, by a part of the statement, and why.
_SORTED = {
    r"WHERE deliveries\.alert_id = \?": "the deliveries of one alert",
    r"comments\.comment_id IN \(\?\) AND comments\.platform = \?": "comments with the same id",
}
# What workers ask by themselves; without these the test would see too little of a service.
_EXPECTED = (
    "deliveries AS other",  # silences that end
    "alerts.state = ? AND deliveries.state != ? AND deliveries.page",  # pages to escalate
    "deliveries.finished_at < ?",  # retention
    "alerts.updated_at < ?",
    "keyed_requests.at < ?",
    "ORDER BY keyed_requests.place DESC",  # of a principal with too many
    "alert_events.found_at >= ?",  # digests
    "UPDATE deliveries SET state=?",
    "comment_changes.kind = ?",  # erasures
    "INSERT INTO minute_scores",
)
_GROWING = ("alerts", "alert_events", "deliveries", "notification_payloads", "comments", "scores")


@contextmanager
def statements() -> Iterator[set[str]]:
    """Collects what is sent to databases."""
    found = set[str]()

    def collect(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        found.add(re.sub(r"\s+", " ", statement))

    event.listen(Engine, "before_cursor_execute", collect)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", collect)


def plan(database: sqlite3.Connection, statement: str) -> list[str]:
    """SQLite's plan of a statement; it has no statistics, so values change nothing."""
    values = (None,) * statement.count("?")
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


def scans(steps: list[str]) -> list[str]:
    """The tables, by the names that the statement gives them, that a plan reads whole."""
    found = [re.match(r"SCAN (?!CONSTANT|\(|\d)(\w+)", step) for step in steps]
    return [match[1] for match in found if match]


def sorts(statement: str, steps: list[str]) -> bool:
    """Whether a page of a growing table is sorted, so that all that could be on it is read."""
    read = any(re.search(rf"FROM {table}\b", statement) for table in _GROWING)
    page = read and re.search(r"ORDER BY .* LIMIT", statement)
    few = any(re.search(part, statement) for part in _SORTED)
    return bool(page) and not few and "USE TEMP B-TREE FOR ORDER BY" in steps


def reason(table: str, statement: str) -> str | None:
    """Why a table may be read whole; None if it may not."""
    for (name, part), why in _ALLOWED.items():
        if name == table and re.search(part, statement):
            return why
    return None


def use(client: TestClient) -> None:
    """Ask the service for everything that it does."""

    def ask(method: str, path: str, **body: Any) -> None:
        answer = client.request(method, path, **body)
        assert answer.is_success, f"{method} {path}: {answer.text}"

    items = storm("lena", NOW - timedelta(days=2)) + storm("mina", NOW - timedelta(days=2))
    for start in range(0, len(items), 500):
        ask("post", "/v1/comments", json=items[start : start + 500])
    wait_until_processed(client)
    changed = [one | {"text": "I was wrong"} for one in items[100:120]]
    late = [one | {"comment_id": one["comment_id"] + "-late"} for one in items[500:520]]
    ask("post", "/v1/comments", json=[*changed, *late, {**items[130], "removed": True}])
    ask("put", "/v1/kols/lena", json={"name": "Lena", "followers": 1000})
    ask("put", "/v1/kols/mina/policy", json={"sensitivity": 1.5, "actor": "an"})
    ask(
        "post", "/v1/posts", json=[{"platform": "instagram", "post_id": "post-0", "kols": ["lena"]}]
    )
    ask("put", "/v1/brands/acme", json={"kols": ["lena"]})
    ask(
        "post",
        "/v1/imports",
        content=b"kol_id,text\nlena,hi\n",
        headers={"content-type": "text/csv"},
    )
    wait_until_processed(client)
    alert_id = client.get("/v1/alerts").json()["items"][0]["alert_id"]
    silence = {"kols": ["lena"], "ends_at": (NOW + timedelta(hours=1)).isoformat()}
    ask("post", "/v1/silences", json=silence | {"reason": "a launch", "actor": "an"})
    until = (NOW + timedelta(hours=1)).isoformat()
    for action in ({"action": "acknowledge"}, {"action": "snooze", "until": until}):
        body = action | {"actor": "an"}
        ask("post", f"/v1/alerts/{alert_id}/actions", json=body)
    since = (NOW - timedelta(days=3)).isoformat().replace("+00:00", "Z")
    for path in (
        "/v1/alerts",
        "/v1/alerts?state=open",
        "/v1/alerts?severity=critical",
        "/v1/alerts?state=resolved&severity=critical",
        "/v1/alerts?kol_id=lena",
        "/v1/alerts?kol_id=lena&state=open",
        "/v1/alerts?limit=1",
        f"/v1/alerts?since={since}",
        f"/v1/alerts/{alert_id}",
        f"/v1/alerts/{alert_id}/chart.png",
        f"/alerts/{alert_id}",
        "/",
        "/v1/deliveries",
        "/v1/deliveries?state=waiting",
        "/v1/deliveries?state=dead",
        "/v1/deliveries?channel=pr",
        "/v1/deliveries?channel=pr&state=dead",
        f"/v1/deliveries?alert_id={alert_id}",
        "/v1/kols",
        "/v1/kols?archived=true",
        "/v1/kols/lena",
        "/v1/kols/lena/comments",
        "/v1/kols/lena/followers",
        "/v1/kols/lena/mood",
        "/v1/kols/lena/policy",
        "/v1/kols/lena/posts",
        "/v1/posts/instagram/post-0",
        f"/v1/comments/instagram/{items[100]['comment_id']}",
        "/v1/audit",
        "/v1/audit.csv",
        "/v1/authors/author-1/export",
        "/v1/brands",
        "/v1/digest?every=day",
        "/v1/digest?every=day&kol_id=lena",
        "/v1/feedback",
        "/v1/imports",
        "/v1/keys",
        "/v1/routing",
        "/v1/silences",
        "/v1/silences?state=active",
        "/v1/status",
        "/metrics",
    ):
        assert client.get(path).status_code < 500, path
    ask("delete", f"/v1/comments/instagram/{items[3]['comment_id']}")
    ask("delete", "/v1/authors/author-2")
    for _ in range(2):
        repeated = {"Idempotency-Key": "8e03978e"}
        ask("post", "/v1/kols/mina/archive", json={"actor": "an"}, headers=repeated)
    ask("post", "/v1/kols/mina/rename", json={"new_id": "mia", "actor": "an"})
    wait_until_processed(client)


def test_no_query_reads_a_whole_table_that_grows(
    tmp_path: Path, empty: Path, classifier: SentimentClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PR_SECRET", "a secret for one run")
    channels = tmp_path / "channels.toml"
    channels.write_text(_CHANNELS, encoding="utf-8")
    settings = Settings(
        database_url=f"sqlite:///{shutil.copy(empty, tmp_path / 'plans.db')}",
        channels=channels,
        notify_attempts=1,
        retain_comments_days=365,
        retain_alerts_days=365,
        retain_deliveries_days=365,
        retain_imports_days=365,
        retain_audit_days=365,
        _env_file=None,
    )
    clock = TestClock(NOW)
    app = create_app(settings, classifier=classifier, clock=clock)
    with statements() as sent, TestClient(app, raise_server_exceptions=False) as client:
        use(client)
        clock.advance(timedelta(minutes=2))  # the escalator calls nobody in the first minute
        assert client.portal is not None
        client.portal.call(app.state.service.escalator.step)
    database = sqlite3.connect(tmp_path / "plans.db")
    wrong = []
    for statement in sorted(sent):
        if not re.match(r"(SELECT|UPDATE|DELETE|INSERT|WITH)\b", statement):
            continue
        steps = plan(database, statement)
        wrong += [
            f"{table} is read whole: {statement}"
            for table in scans(steps)
            if reason(table, statement) is None
        ]
        if sorts(statement, steps):
            wrong.append(f"a page is sorted, and not read in order: {statement}")
    database.close()
    for part in _EXPECTED:
        assert any(part in statement for statement in sent), f"nothing was asked like {part}"
    assert not wrong, "\n\n".join(wrong)
