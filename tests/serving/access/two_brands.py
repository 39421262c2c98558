"""A service that holds two KOLs of two brands with everything that is stored of them.

Every id, name, text and number of the second KOL bears a mark, so that a leak is easy to see.
"""

import csv
import io
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.serving.access.conftest import bearer
from tests.serving.conftest import NOW
from tests.serving.streams import storm, wait_until_processed

MARK = "quill"  # in everything of the other KOL that is text
FOLLOWERS = 48_151_623  # and its number
LENA, ZOE = "lena", f"zoe-{MARK}"
CHANNELS = f"""
[channels.crm]
type = "webhook"
url = "http://127.0.0.1:9/nobody-listens"
secret_env = "CRM_SECRET"

[channels.desk]
type = "email"
url = "smtp://127.0.0.1:9"
from = "alerts@example.com"
to = ["pr@example.com"]

[brands]
acme = ["{LENA}"]
{MARK}brand = ["{ZOE}"]

[digests.daily]
every = ["day"]
channels = ["desk"]
brands = ["acme"]

[digests.{MARK}daily]
every = ["day"]
channels = ["desk"]
brands = ["{MARK}brand"]

[[routes]]
min_severity = "info"
channels = ["crm"]
"""


@dataclass(slots=True)
class SharedService:
    """The service and what it holds.

    Attributes:
        client: with the key of the admin, unless a request has another.
        limited: headers of a key with every scope but admin that is limited to the first KOL.
        own: values of path parameters that are of the first KOL.
        other: likewise of the second.
        shared: ids of what is of both.
    """

    app: FastAPI
    client: TestClient
    limited: dict[str, str] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        """The answer to a request that must succeed."""
        answer = self.client.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        """The answer to the admin."""
        answer = self.client.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def see(self, path: str) -> Any:
        """The answer to the limited key."""
        answer = self.client.get(path, headers=self.limited)
        assert answer.is_success, answer.text
        return answer.json()


def fill(service: SharedService, admin_key: Path) -> None:
    """Store something of each kind for each KOL."""
    client, post = service.client, service.post
    client.headers |= bearer(admin_key.read_text().strip())
    _profiles(client)
    _posts(post)
    for kol_id in (LENA, ZOE):
        items = storm(kol_id, NOW - timedelta(hours=31))
        if kol_id == ZOE:
            items = [_marked(item) for item in items]
        for start in range(0, len(items), 500):
            post("/v1/comments", items[start : start + 500])
    comment = {"platform": "instagram", "created_at": (NOW - timedelta(hours=2)).isoformat()}
    both = comment | {"comment_id": "on-joint", "post_id": "joint"}
    post("/v1/comments", both | {"kol_id": LENA, "text": "on both"})
    post("/v1/comments", both | {"kol_id": ZOE, "text": f"{MARK} on both"})
    gone = comment | {"comment_id": f"{MARK}-gone", "kol_id": f"{MARK}-gone", "text": MARK}
    post("/v1/comments", gone)
    twin = comment | {"comment_id": "of-twin", "kol_id": f"{MARK}-twin", "text": "hello"}
    post("/v1/comments", twin)
    wait_until_processed(client)
    _moves(post)
    wait_until_processed(client)
    for kol_id, ids in ((LENA, service.own), (ZOE, service.other)):
        mark = MARK if kol_id == ZOE else "own"
        _actions(service, kol_id, ids, mark)
    client.delete(f"/v1/kols/{MARK}-gone")
    client.delete(f"/v1/comments/instagram/{ZOE}-1-0")
    client.delete(f"/v1/authors/{MARK}-author-7")
    post("/v1/digests/daily/send", {})
    post(f"/v1/digests/{MARK}daily/send", {})
    _silences(service)
    limited = {"name": "acme's tool", "scopes": ["ingest", "read", "act", "manage"]}
    service.limited = bearer(post("/v1/keys", limited | {"brands": ["acme"]})["key"])
    other_key = post("/v1/keys", {"name": f"{MARK} key", "scopes": ["read"], "kols": [ZOE]})
    service.other["key_id"] = service.own["key_id"] = other_key["key_id"]
    _imports(service)
    _sources(service)
    wait_until_processed(client)


def _sources(service: SharedService) -> None:
    """A source of each KOL; the addresses that they ask are not allowed, so they are blind."""
    for kol_id, ids, mark in ((LENA, service.own, "own"), (ZOE, service.other, MARK)):
        feed = {"url": f"http://127.0.0.1:9/{mark}", "only_named": False}
        body = {"type": "rss", "name": f"{mark} news", "kol_id": kol_id, "settings": feed}
        ids["source_id"] = service.post("/v1/sources", body)["source_id"]
        service.client.post(f"/v1/sources/{ids['source_id']}/pause")


def _profiles(client: TestClient) -> None:
    lena = {"name": "Lena Vane", "handles": {"instagram": "@lenavane"}, "followers": 1200}
    zoe = {"name": f"Zoe {MARK.title()}", "handles": {"instagram": f"@{MARK}", "x": f"{MARK}x"}}
    client.put(f"/v1/kols/{LENA}", json=lena)
    client.put(f"/v1/kols/{ZOE}", json=zoe | {"followers": FOLLOWERS})
    for kol_id in (f"{MARK}-twin", f"{MARK}-old", f"{MARK}-gone"):
        client.put(f"/v1/kols/{kol_id}", json={})
    client.put("/v1/brands/acme", json={"kols": [LENA]})
    client.put(f"/v1/brands/{MARK}brand", json={"kols": [ZOE]})


def _posts(post: Any) -> None:
    counts = {"likes": FOLLOWERS}
    post(
        "/v1/posts",
        [
            {"platform": "instagram", "post_id": "post-1", "kols": [LENA], "text": "summer"},
            {
                "platform": "instagram",
                "post_id": f"{MARK}-post-1",
                "kols": [ZOE],
                "text": MARK,
                "url": f"https://example.com/{MARK}",
                "counts": counts,
            },
            # The same id on another platform: whose name is it?
            {"platform": "tiktok", "post_id": "post-2", "kols": [ZOE], "text": MARK},
            {"platform": "instagram", "post_id": "joint", "kols": [LENA, ZOE], "text": "we two"},
            {"platform": "x", "post_id": "of-twin", "kols": [f"{MARK}-twin"], "text": "twin"},
        ],
    )


def _marked(item: dict[str, Any]) -> dict[str, Any]:
    """A comment of the storm with the mark."""
    return item | {
        "text": f"{item['text']} {MARK}",
        "author_id": f"{MARK}-{item['author_id']}",
        "post_id": f"{MARK}-{item['post_id']}",
    }


def _moves(post: Any) -> None:
    post(f"/v1/kols/{MARK}-old/rename", {"new_id": f"{MARK}-new", "actor": MARK})
    post(f"/v1/kols/{MARK}-twin/merge", {"into": LENA, "actor": MARK})


def _actions(service: SharedService, kol_id: str, ids: dict[str, Any], mark: str) -> None:
    alert = service.get(f"/v1/alerts?kol_id={kol_id}")["items"][0]
    for action in ("note", "false_alarm", "reopen"):
        body = {"action": action, "text": f"{mark} note", "actor": f"{mark} person"}
        service.post(f"/v1/alerts/{alert['alert_id']}/actions", body)
    overrides = {"actor": mark, "sensitivity": 1.5 if mark == MARK else 2.0}
    service.client.put(f"/v1/kols/{kol_id}/policy", json=overrides)
    deliveries = service.get(f"/v1/deliveries?alert_id={alert['alert_id']}")["items"]
    ids.update(
        kol_id=kol_id,
        alert_id=alert["alert_id"],
        delivery_id=deliveries[0]["delivery_id"],
        platform="instagram",
        comment_id=f"{kol_id}-{30 * 60 - 1}-0",
        post_id="post-1" if kol_id == LENA else f"{MARK}-post-1",
        author_id="author-7" if kol_id == LENA else f"{MARK}-author-8",
        brand="acme" if kol_id == LENA else f"{MARK}brand",
        name="daily" if kol_id == LENA else f"{MARK}daily",
        person="nobody",
    )
    path = f"/v1/kols/{kol_id}/comments?limit=1"
    ids["comment_id"] = service.get(path)["items"][0]["comment_id"]


def _silences(service: SharedService) -> None:
    def add(**matchers: Any) -> int:
        span = {"ends_at": (NOW + timedelta(days=1)).isoformat(), "actor": "mai"}
        silence_id: int = service.post("/v1/silences", span | matchers)["silence_id"]
        return silence_id

    service.own["silence_id"] = add(kols=[LENA], max_severity="info", reason="giveaway")
    service.other["silence_id"] = add(kols=[ZOE], reason=f"{MARK} giveaway")
    posts = ["post-1", f"{MARK}-post-1"]
    service.shared["silence_id"] = add(kols=[LENA, ZOE], posts=posts, reason=f"{MARK} and lena")
    service.shared["silence_of_all"] = add(posts=[f"{MARK}-post-1"], reason=f"{MARK} everywhere")


def _imports(service: SharedService) -> None:
    def send(name: str, kols: list[str], headers: dict[str, str] | None) -> int:
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(("platform", "comment_id", "kol_id", "text", "created_at"))
        for number, kol_id in enumerate(kols):
            at = (NOW - timedelta(hours=3)).isoformat()
            mark = MARK if kol_id == ZOE else "fine"
            rows.writerow(("instagram", f"{mark}-of-{kol_id}-{number}", kol_id, mark, at))
        rows.writerow(("instagram", f"{name}-bad", "", name, "never"))
        answer = service.client.post(
            f"/v1/imports?name={name}.csv",
            content=text.getvalue(),
            headers={"content-type": "text/csv"} | (headers or {}),
        )
        assert answer.status_code == 202, answer.text
        import_id: int = answer.json()["import_id"]
        while service.get(f"/v1/imports/{import_id}")["state"] not in ("finished", "failed"):
            pass
        return import_id

    service.other["import_id"] = send(f"{MARK}s", [LENA, ZOE], None)
    service.own["import_id"] = send("lenas", [LENA, LENA], service.limited)
