"""Record the examples of the OpenAPI document: python -m tests.serving.record_examples."""

import json
import os
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.api.openapi import EXAMPLES
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.access.route_table import filled
from tests.serving.access.two_brands import CHANNELS, MARK, SharedService, fill
from tests.serving.conftest import NOW
from tests.serving.test_documents import GOLDEN

SOON = (NOW + timedelta(hours=8)).isoformat()
COMMENT = {
    "platform": "instagram",
    "comment_id": "17912",
    "kol_id": "lena",
    "text": "love it",
    "created_at": (NOW - timedelta(minutes=5)).isoformat(),
    "post_id": "post-1",
    "author_id": "1784",
}
POST = {
    "platform": "instagram",
    "post_id": "post-9",
    "kols": ["lena"],
    "text": "New season",
    "url": "https://www.instagram.com/p/post-9",
    "counts": {"likes": 120, "comments": 14},
}
PERSON = {"email": "mai@example.com", "name": "Mai Tran", "role": "responder", "brands": ["acme"]}
FEED = {
    "type": "rss",
    "name": "City News",
    "kol_id": "lena",
    "settings": {"url": "https://news.example.com/feed.xml", "only_named": False},
}
FORUM = {
    "type": "webhook",
    "name": "Forum",
    "kol_id": "lena",
    "settings": {"platform": "forum", "secret": "b7e6c1f0a9d84e52b7e6c1f0a9d84e52"},
}
BODIES: dict[str, Any] = {
    "post_comments": [COMMENT],
    "send_posts": POST,
    "apply_action": {"action": "acknowledge", "text": "on it", "actor": "mai"},
    "add_silence": {"kols": ["lena"], "ends_at": SOON, "reason": "giveaway", "actor": "mai"},
    "expire_silence": {"actor": "mai"},
    "put_brand": {"kols": ["lena"]},
    "send_digest": {"every": "day"},
    "create_key": {"name": "importer", "scopes": ["ingest"], "brands": ["acme"]},
    "rotate_key": {"grace_seconds": 3600},
    "put_kol": {"name": "Lena Vane", "handles": {"instagram": "@lenavane"}, "followers": 1200},
    "add_followers": {"followers": 1250},
    "put_policy": {"sensitivity": 2.0, "actor": "mai"},
    "rename_kol": {"new_id": "lena-vane", "actor": "mai"},
    "merge_kol": {"into": "lena", "actor": "mai"},
    "unmerge_kol": {"actor": "mai"},
    "archive_kol": {"actor": "mai"},
    "unarchive_kol": {"actor": "mai"},
    "add_person": PERSON,
    "change_person": {"role": "manager"},
    "preview_routing": {"kol_id": "lena", "severity": "critical"},
    "create_source": FEED,
    "preview_source": FORUM,
    "change_source": {"name": "Forum of fans"},
    "post_score": {"texts": ["love it", "tệ quá"]},
}
OTHER_KOL = {
    "merge_kol": f"{MARK}-new",
    "unmerge_kol": f"{MARK}-twin",
    "delete_kol": f"zoe-{MARK}",
}
LAST = ("delete_source", "rename_kol", "delete_kol", "delete_brand", "revoke_key", "delete_comment")


def record(service: SharedService) -> dict[str, Any]:
    """Request, path parameters and response of each operation, by its id."""
    document = json.loads(GOLDEN.read_text())
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path != "/v1/stream"
    ]
    order = {"get": 1, "put": 0}
    operations.sort(key=lambda one: (one[2]["operationId"] in LAST, order.get(one[1], 0)))
    values = service.own | {"author_id": "author-9"}
    person = service.post("/v1/people", PERSON | {"email": "an@example.com", "name": "An Le"})
    key = service.post("/v1/keys", {"name": "dashboard", "scopes": ["read"]})
    source = service.post("/v1/sources", FORUM)
    values |= {"source_id": source["source_id"]}
    values |= {"person": person["person_id"], "key_id": key["key_id"]}
    found = {}
    for path, method, operation in operations:
        name = operation["operationId"]
        of_path = values | ({"kol_id": OTHER_KOL[name]} if name in OTHER_KOL else {})
        more: dict[str, Any] = {"json": BODIES[name]} if name in BODIES else {}
        if name == "post_import":
            more = {"content": "platform,comment_id,kol_id,text,created_at\n"}
            more["headers"] = {"content-type": "text/csv"}
        answer = service.client.request(method, filled(path, of_path), **more)
        assert answer.is_success, (name, answer.text)
        names = re.findall(r"{(\w+)}", path)
        found[name] = {"path": {one: of_path[one] for one in names}} | (
            {"request": BODIES[name]} if name in BODIES else {}
        )
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if media_type == "application/json":
            found[name]["response"] = short(answer.json())
        elif media_type in ("text/csv", "text/plain", "application/x-ndjson"):
            found[name]["response"] = "".join(answer.text.splitlines(keepends=True)[:2])
    found["stream"] = {"response": 'event: mood\ndata: {"kol_id":"lena","mood":0.4}\n\n'}
    return found


def short(value: Any) -> Any:
    """A value with the first item of each list."""
    if isinstance(value, dict):
        return {name: short(one) for name, one in value.items()}
    return [short(one) for one in value[:1]] if isinstance(value, list) else value


def main() -> None:
    """Write the file."""
    os.environ["CRM_SECRET"] = "sixteen-characters"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "channels.toml").write_text(CHANNELS)
        settings = Settings(
            database_url=f"sqlite:///{folder / 'test.db'}",
            access="keys",
            channels=folder / "channels.toml",
            notified_age=timedelta(days=30),
            source_key_file=folder / "source.key",
            _env_file=None,
        )
        classifier = SentimentClassifier.from_backend(FakeBackend())
        app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
        with TestClient(app) as client:
            service = SharedService(app, client)
            fill(service, folder / "groundswell-admin.key")
            text = json.dumps(record(service), indent=1, ensure_ascii=False, sort_keys=True)
    text = re.sub(r"gsk_\w+", "gsk_0123456789abcdef_secret", text)
    text = re.sub('"password": "[^"]+"', '"password": "shown-this-once"', text)
    text = (
        text.replace(MARK.title(), "Park")
        .replace(f"zoe-{MARK}", "zoe")
        .replace(f"{MARK}-", "zoe-")
        .replace(MARK, "zoe")
    )
    EXAMPLES.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
