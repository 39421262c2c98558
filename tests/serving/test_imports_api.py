"""POST /v1/imports: files are taken, read in the background, and what became of them is kept."""

import asyncio
import csv
import errno
import gzip
import io
import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from monitoring.policy import Policy
from serving.api import uploads
from serving.app import create_app
from serving.clock import TestClock
from serving.ingest import import_worker
from serving.settings import Settings
from serving.storage.database import Database
from serving.storage.import_store import ImportStore
from tests.serving.conftest import NOW
from tests.serving.ingest.importers.imported import items, write_ndjson
from tests.serving.streams import storm, wait_until_processed

RAW = {"content-type": "application/octet-stream"}
HEAD = "platform,comment_id,kol_id,text,created_at,likes"


def rows(count: int) -> list[dict[str, Any]]:
    """Comments from the hour before `NOW`."""
    start = NOW - timedelta(hours=1)
    return [
        item | {"created_at": (start + timedelta(seconds=n)).isoformat()}
        for n, item in enumerate(items(count))
    ]


def finished(client: TestClient, import_id: int) -> Any:
    """The import, as soon as nothing more happens to it and its comments are scored."""
    for _ in range(600):
        found = client.get(f"/v1/imports/{import_id}").json()
        if found["state"] in {"failed", "interrupted"} or found["used"] is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def rejected(client: TestClient, import_id: int) -> list[dict[str, str]]:
    answer = client.get(f"/v1/imports/{import_id}/rejected.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_raw_file_is_imported(client: TestClient, tmp_path: Path) -> None:
    path = write_ndjson(tmp_path / "c.ndjson", rows(60)[::-1])
    answer = client.post("/v1/imports?name=c.ndjson", content=path.read_bytes(), headers=RAW)
    assert answer.status_code == 202
    import_id = answer.json()["import_id"]
    assert answer.headers["location"] == f"/v1/imports/{import_id}"
    found = finished(client, import_id)
    assert (found["state"], found["error"], found["fraction"]) == ("finished", None, 1.0)
    figures = ("accepted", "updated", "duplicates", "rejected", "removed", "used")
    assert [found[figure] for figure in figures] == [60, 0, 0, 0, 0, 60]
    assert (found["file"]["format"], found["file"]["rows"]) == ("ndjson", 60)
    (kol,) = found["kols"]
    assert (kol["kol_id"], kol["comments"], kol["alerts"]) == ("lena", 60, [])
    assert "two days" in kol["missing"]
    assert rejected(client, import_id) == []
    again = client.post("/v1/imports?name=c.ndjson", content=path.read_bytes(), headers=RAW).json()
    found = finished(client, again["import_id"])
    assert [found[figure] for figure in figures] == [0, 0, 60, 0, 0, 0]
    listed = client.get("/v1/imports").json()["items"]
    assert [one["import_id"] for one in listed] == [again["import_id"], import_id]


def test_a_form_may_hold_the_options(client: TestClient) -> None:
    table = "id;wann;was\n1;09.03.2026 10:00;nie wieder\n2;09.03.2026 11:00;schön\n"
    fields = {
        "kol": "lena",
        "platform": "tiktok",
        "time_zone": "Europe/Berlin",
        "day_first": "true",
        "field": ["created_at=wann", "text=was"],
    }
    answer = client.post(
        "/v1/imports", data=fields, files={"file": ("März.csv", table.encode(), "text/csv")}
    )
    assert answer.status_code == 202
    assert answer.json()["name"] == "März.csv"
    found = finished(client, answer.json()["import_id"])
    assert (found["accepted"], found["kols"][0]["first"]) == (2, "2026-03-09T09:00:00Z")


def test_rejected_rows_are_listed_with_their_reasons(client: TestClient) -> None:
    lines = [HEAD, "x,a,lena,fine,2026-03-09T10:00:00Z,1", "x,b,lena,when,01/02/2026 10:00,1"]
    answer = client.post("/v1/imports?name=c.csv", content="\n".join(lines).encode(), headers=RAW)
    import_id = answer.json()["import_id"]
    found = finished(client, import_id)
    assert (found["accepted"], found["rejected"]) == (1, 1)
    (row,) = rejected(client, import_id)
    assert (row["row"], row["field"], row["code"]) == ("3", "created_at", "ambiguous_timestamp")
    assert "2 January or 1 February" in row["reason"]
    assert row["reason"] in found["faults"][0]


def test_a_file_that_cannot_be_read_fails_and_says_why(client: TestClient) -> None:
    answer = client.post("/v1/imports", content=b"PAR1 and no more", headers=RAW)
    found = finished(client, answer.json()["import_id"])
    assert found["state"] == "failed"
    assert "parquet" in found["error"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("preset=none", "there is no preset 'none'"),
        ("field=text", "is not FIELD=PATH"),
        ("time_zone=Mars", "is not a time zone"),
        ("as_of=soon", "as_of"),
        ("day_first=perhaps", "day_first"),
    ],
)
def test_options_are_checked_at_once(client: TestClient, query: str, words: str) -> None:
    answer = client.post(f"/v1/imports?{query}", content=b"x", headers=RAW)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert words in answer.json()["detail"]
    assert client.get("/v1/imports").json()["items"] == []


def test_bodies_are_bounded(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock, tmp_path: Path
) -> None:
    small = settings.model_copy(update={"max_import_bytes": 2000, "import_folder": tmp_path})
    with TestClient(create_app(small, classifier=classifier, clock=clock)) as client:
        for sent in (
            {"content": b"x" * 2001, "headers": RAW},
            {"files": {"file": ("a", b"x" * 2001)}},
        ):
            answer = client.post("/v1/imports", **sent)
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        empty = client.post("/v1/imports", content=b"", headers=RAW)
        assert (empty.status_code, empty.json()["code"]) == (422, "invalid_parameter")
        form = {"content-type": "multipart/form-data; boundary=x"}
        broken = client.post("/v1/imports", content=b"not a form", headers=form)
        assert (broken.status_code, broken.json()["code"]) in {
            (400, "malformed_form"),
            (422, "invalid_parameter"),
        }
        (folder,) = tmp_path.glob("groundswell-imports-*")
        assert list(folder.iterdir()) == []
    assert list(tmp_path.glob("groundswell-imports-*")) == []


def test_there_is_an_end_to_what_waits(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(import_worker, "MOST_WAITING", 0)
    answer = client.post("/v1/imports", content=b"x", headers=RAW)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_busy")


def test_a_file_that_is_being_received_counts_among_those_that_wait(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_worker, "MOST_WAITING", 1)
    worker = cast("FastAPI", client.app).state.service.import_worker
    with worker.receiving():
        answer = client.post("/v1/imports", content=b"x", headers=RAW)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_busy")
    for _ in range(2):  # nor does one count that was refused, or has been imported
        empty = client.post("/v1/imports", content=b"", headers=RAW)
        assert empty.status_code == 422
        sent = client.post("/v1/imports?name=c.csv", content=HEAD.encode(), headers=RAW)
        assert sent.status_code == 202
        finished(client, sent.json()["import_id"])


@pytest.mark.parametrize(
    "sent", [{"content": b"x", "headers": RAW}, {"files": {"file": ("a", b"x")}}]
)
def test_a_full_disk_is_said_and_leaves_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, sent: dict[str, Any]
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("_append", "_copy"):
        monkeypatch.setattr(uploads, name, full)
    answer = client.post("/v1/imports", **sent)
    assert (answer.status_code, answer.json()["code"]) == (503, "store")
    assert "GROUNDSWELL_IMPORT_FOLDER" in answer.json()["detail"]
    worker = cast("FastAPI", client.app).state.service.import_worker
    assert list(worker.folder.iterdir()) == []


def test_nothing_is_written_outside_the_folder_of_the_database(
    settings: Settings,
    classifier: SentimentClassifier,
    clock: TestClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither what is received nor what is unpacked for a library that wants a file."""
    database_folder = tmp_path / "data"
    database_folder.mkdir()
    changed = settings.model_copy(update={"database_url": f"sqlite:///{database_folder}/g.db"})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))  # nothing can be made there
    table = pa.Table.from_pylist([{**row, "text": os.urandom(500).hex()} for row in rows(2000)])
    pq.write_table(table, unpacked := io.BytesIO())
    form = {"file": ("c.parquet.gz", gzip.compress(unpacked.getvalue(), 1))}
    assert len(form["file"][1]) > 2**20  # more than is kept in memory
    with TestClient(create_app(changed, classifier=classifier, clock=clock)) as client:
        sent = client.post("/v1/imports", files=form)
        assert sent.status_code == 202, sent.text
        for _ in range(600):
            found = client.get(f"/v1/imports/{sent.json()['import_id']}").json()
            if found["state"] == "failed" or found["accepted"] == 2000:
                break
            time.sleep(0.02)
        assert (found["accepted"], found["error"]) == (2000, None), found
    assert not [path for path in database_folder.iterdir() if path.is_dir()]


def test_the_fields_of_a_form_are_small(client: TestClient) -> None:
    fields = {"preset": "x" * 16_385}
    answer = client.post("/v1/imports", data=fields, files={"file": ("a", b"x")})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_form")
    assert "16KB" in answer.json()["detail"]


def test_unknown_imports_are_not_found(client: TestClient) -> None:
    for path in ("/v1/imports/9", "/v1/imports/9/rejected.csv"):
        assert client.get(path).status_code == 404


def test_an_interrupted_import_says_so_and_can_be_sent_again(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock, tmp_path: Path
) -> None:
    body = write_ndjson(tmp_path / "c.ndjson", rows(20)).read_bytes()
    with TestClient(create_app(settings, classifier=classifier, clock=clock)) as client:
        import_id = client.post("/v1/imports?name=c.ndjson", content=body, headers=RAW).json()[
            "import_id"
        ]
        finished(client, import_id)

    async def left_behind() -> int:
        database = Database(settings.database_url)
        left = await ImportStore(database).add("half.csv", NOW)
        await database.close()
        return left

    left = asyncio.run(left_behind())
    with TestClient(create_app(settings, classifier=classifier, clock=clock)) as client:
        found = client.get(f"/v1/imports/{left}").json()
        assert found["state"] == "interrupted"
        assert "send the file again" in found["error"]
        kept = client.get(f"/v1/imports/{import_id}").json()
        assert (kept["state"], kept["accepted"]) == ("finished", 20)
        again = client.post("/v1/imports?name=c.ndjson", content=body, headers=RAW).json()[
            "import_id"
        ]
        assert finished(client, again)["duplicates"] == 20


def test_an_import_waits_while_many_comments_are_to_be_scored(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, processed: Callable[[], None]
) -> None:
    monkeypatch.setattr(import_worker, "_BACKLOG", -1)
    lines = [HEAD, "x,a,lena,fine,2026-03-09T10:00:00Z,1"]
    import_id = client.post("/v1/imports", content="\n".join(lines).encode(), headers=RAW).json()[
        "import_id"
    ]
    time.sleep(0.5)
    assert client.get(f"/v1/imports/{import_id}").json()["accepted"] == 0
    monkeypatch.setattr(import_worker, "_BACKLOG", 10)
    assert finished(client, import_id)["accepted"] == 1


def alerts(client: TestClient) -> list[dict[str, Any]]:
    """The alerts of the service, without what says when they were processed."""
    found = client.get("/v1/alerts").json()["items"]
    keys = ("alert_id", "kol_id", "kind", "severity", "state", "opened_at", "resolved_at")
    return [{key: alert[key] for key in keys} for alert in found]


def by_import(client: TestClient, comments: list[dict[str, Any]]) -> None:
    body = "".join(json.dumps(comment) + "\n" for comment in comments).encode()
    import_id = client.post("/v1/imports?name=c.ndjson", content=body, headers=RAW).json()[
        "import_id"
    ]
    found = finished(client, import_id)
    assert (found["accepted"], found["used"]) == (len(comments), len(comments))
    kols = {kol["kol_id"]: [alert["alert_id"] for alert in kol["alerts"]] for kol in found["kols"]}
    assert kols == {"lena": [alert["alert_id"] for alert in alerts(client)[::-1]]}


def by_comments(client: TestClient, comments: list[dict[str, Any]]) -> None:
    for first in range(0, len(comments), 500):
        answer = client.post("/v1/comments", json=comments[first : first + 500])
        assert answer.json()["accepted"] == len(comments[first : first + 500])
    wait_until_processed(client)


def polled_hourly(comments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In order of arrival, where every other comment arrives at the next full hour."""

    def arrival(place: int) -> datetime:
        at = datetime.fromisoformat(comments[place]["created_at"])
        hour = at.replace(minute=0, second=0, microsecond=0)
        return hour + timedelta(hours=1) if place % 2 else at

    return [comments[place] for place in sorted(range(len(comments)), key=arrival)]


@pytest.fixture(scope="module")
def prompt_alerts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The alerts where every comment is sent in its turn."""
    path = tmp_path_factory.mktemp("prompt") / "prompt.db"
    settings = Settings(database_url=f"sqlite:///{path}", _env_file=None)
    classifier = SentimentClassifier.from_backend(FakeBackend())
    app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
    with TestClient(app) as client:
        by_comments(client, storm("lena", NOW - timedelta(days=2)))
        return alerts(client)


@pytest.mark.parametrize("send", [by_import, by_comments])
@pytest.mark.parametrize("order", ["newest first", "polled hourly"])
def test_a_storm_is_found_whatever_the_order(
    client: TestClient,
    prompt_alerts: list[dict[str, Any]],
    send: Callable[[TestClient, list[dict[str, Any]]], None],
    order: str,
) -> None:
    comments = storm("lena", NOW - timedelta(days=2))
    send(client, comments[::-1] if order == "newest first" else polled_hourly(comments))
    assert [alert["severity"] for alert in prompt_alerts] == ["critical"]
    assert alerts(client) == prompt_alerts


@pytest.mark.parametrize("send", [by_import, by_comments])
def test_a_slower_storm_is_critical_soon_after_it_meets_the_conditions(
    client: TestClient, send: Callable[[TestClient, list[dict[str, Any]]], None]
) -> None:
    start, quiet = NOW - timedelta(days=2), timedelta(hours=30, minutes=5)
    comments = [
        comment
        for comment in storm("lena", start, days=1.5, storm_after=quiet)
        if comment["comment_id"].endswith("-0")  # one a minute
    ]
    send(client, comments)
    (alert,) = client.get("/v1/alerts").json()["items"]
    detail = client.get(f"/v1/alerts/{alert['alert_id']}").json()
    opened, critical, *_ = detail["events"]
    assert (opened["severity"], critical["severity"]) == ("warning", "critical")
    assert datetime.fromisoformat(critical["at"]).minute != 0
    # There is a comment a minute, so ten more negative ones take ten minutes at least.
    least = Policy().critical_negative
    assert least <= critical["evidence"]["negative"] < least + 10


@pytest.mark.parametrize("error", [RuntimeError("no"), MemoryError()])
def test_an_import_that_fails_before_it_begins_has_failed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise error

    body = "\n".join([HEAD, "x,a,lena,fine,2026-03-09T10:00:00Z,1"]).encode()
    with monkeypatch.context() as broken:
        broken.setattr(import_worker, "known_kols", failing)
        import_id = client.post("/v1/imports", content=body, headers=RAW).json()["import_id"]
        found = finished(client, import_id)
    assert (found["state"], found["accepted"]) == ("failed", 0)
    assert "send the file again" in found["error"]
    after = client.post("/v1/imports", content=body, headers=RAW).json()["import_id"]
    assert finished(client, after)["accepted"] == 1
