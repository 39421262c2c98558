"""The two ways in which a file is imported: by the command's code, and over HTTP."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from serving.storage.import_record import FileCount, ImportCount
from tests.serving.ingest.importers.imported import NOW, Imported, imported

Importing = Callable[..., Imported]
_SHOWN = (
    "platform", "comment_id", "kol_id", "text", "created_at", "post_id", "author_id", "parent_id",
    "lang", "likes", "edited_at",
)  # fmt: skip


@pytest.fixture(params=["file", "http"])
def importing(request: pytest.FixtureRequest) -> Iterator[Importing]:
    """Imports files, either way."""
    if request.param == "file":
        yield imported
        return
    settings: Settings = request.getfixturevalue("settings")
    classifier: SentimentClassifier = request.getfixturevalue("classifier")
    empty: Path = request.getfixturevalue("empty")
    path = Path(settings.database_url.removeprefix("sqlite:///"))

    def over_http(*files: Path, **options: Any) -> Imported:
        path.write_bytes(empty.read_bytes())  # each import meets a database of its own
        for other in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            other.unlink(missing_ok=True)
        app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
        with TestClient(app) as client:
            return _posted(client, files, options)

    yield over_http


def _posted(client: TestClient, files: tuple[Path, ...], options: dict[str, Any]) -> Imported:
    query = {"time_zone": options.pop("zone", None)} | options
    fields = query.pop("fields", {})
    query["field"] = [f"{name}={path}" for name, path in fields.items()]
    if isinstance(query.get("as_of"), datetime):
        query["as_of"] = query["as_of"].isoformat()
    params = {key: value for key, value in query.items() if value is not None}
    count, rejected = ImportCount(), list[dict[str, str]]()
    for file in files:
        answer = client.post(
            "/v1/imports",
            params=params | {"name": file.name},
            content=file.read_bytes(),
            headers={"content-type": "application/octet-stream"},
        )
        assert answer.status_code == 202, answer.text
        import_id = answer.json()["import_id"]
        found = _finished(client, import_id)
        shown = found["file"] or {"format": "", "preset": None, "notes": [], "rows": 0}
        count.files.append(
            FileCount(
                file.name,
                shown["format"],
                shown["preset"],
                shown["notes"],
                shown["rows"],
                found["rejected"],
                shown.get("left_out", 0),
                shown.get("replies_left_out", 0),
                found["error"],
            )
        )
        count.adjust(found["adjustments"])
        text = client.get(f"/v1/imports/{import_id}/rejected.csv").text
        rejected += csv.DictReader(io.StringIO(text, newline=""))
    return Imported(_stored(client), count, rejected)


def _finished(client: TestClient, import_id: int) -> dict[str, Any]:
    for _ in range(1500):
        found: dict[str, Any] = client.get(f"/v1/imports/{import_id}").json()
        if found["state"] in {"finished", "failed"}:
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def _stored(client: TestClient) -> list[dict[str, Any]]:
    """Every comment of the service, as it would be sent, by time."""
    found = []
    for kol in client.get("/v1/kols").json()["items"]:
        for removed in ("false", "true"):
            query: dict[str, Any] = {"removed": removed, "limit": 1000}
            while True:
                page = client.get(f"/v1/kols/{kol['kol_id']}/comments", params=query).json()
                for row in page["items"]:
                    item = {name: row[name] for name in _SHOWN if row.get(name) is not None}
                    found.append(item | ({"deleted": True} if removed == "true" else {}))
                if page["next_cursor"] is None:
                    break
                query["cursor"] = page["next_cursor"]
    found.reverse()
    return sorted(found, key=lambda item: datetime.fromisoformat(item["created_at"]))
