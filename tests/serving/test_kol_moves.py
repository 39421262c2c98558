"""KOLs get other ids, are merged and separated again, and are archived; nothing of them is lost."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Table, select

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from monitoring.policy import Policy
from serving.app import create_app
from serving.clock import TestClock
from serving.pipeline.presence import Presences
from serving.settings import Settings
from serving.storage.database import Database
from serving.storage.pipeline_step import IdleMark
from serving.storage.tables import comments, minutes
from tests.serving.conftest import NOW, NewUrl
from tests.serving.fake_silent_kols import FakeSilentKols
from tests.serving.streams import storm, wait_until_processed

Item = Callable[..., dict[str, Any]]
MAI = {"actor": "mai"}
DAY = timedelta(days=1)
CHANNELS = """
[channels.crm]
type = "webhook"
url = "http://127.0.0.1:9/nobody-listens"
secret_env = "CRM_SECRET"

[brands]
acme = ["lena"]

[[routes]]
kols = ["lena"]
min_severity = "info"
channels = ["crm"]
"""


class ServiceWorld:
    """A service, and the database behind it."""

    def __init__(self, client: TestClient, clock: TestClock) -> None:
        self.client, self.clock = client, clock

    def post(self, path: str, body: Any = MAI) -> Any:
        answer = self.client.post(f"/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(f"/v1{path}", params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def settle(self) -> None:
        """Wait until everything was processed and every KOL judged again."""
        wait_until_processed(self.client)

    def send(self, items: list[dict[str, Any]]) -> list[str]:
        found: list[str] = []
        for first in range(0, len(items), 500):
            answer = self.post("/comments", items[first : first + 500])
            found += [item["status"] for item in answer["items"]]
        self.settle()
        return found

    def rows(self, table: Table, *columns: str) -> set[tuple[Any, ...]]:
        async def read() -> set[tuple[Any, ...]]:
            database: Database = self.client.app.state.service.kols._database  # type: ignore[attr-defined]
            async with database.read() as connection:
                statement = select(*(table.c[name] for name in columns))
                return {tuple(row) for row in await connection.execute(statement)}

        assert self.client.portal is not None
        return self.client.portal.call(read)

    def streams(self) -> set[tuple[Any, ...]]:
        return self.rows(comments, "seq", "kol_id", "sent_to")

    def sums(self) -> set[tuple[Any, ...]]:
        return self.rows(minutes, *(column.name for column in minutes.c))

    def alerts(self, **query: Any) -> list[tuple[str, str, str]]:
        found = self.get("/alerts", **query)["items"]
        return sorted((one["alert_id"], one["kol_id"], one["state"]) for one in found)


@pytest.fixture
def world(
    new_url: NewUrl, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServiceWorld]:
    monkeypatch.setenv("CRM_SECRET", "sixteen-characters")
    channels = tmp_path / "channels.toml"
    channels.write_text(CHANNELS)
    settings = Settings(database_url=new_url(), channels=channels, _env_file=None)
    clock = TestClock(NOW)
    classifier = SentimentClassifier.from_backend(FakeBackend())
    app = create_app(settings, classifier=classifier, clock=clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield ServiceWorld(client, clock)


def stormy(kol_id: str) -> list[dict[str, Any]]:
    """A storm that lasts until now."""
    start = NOW - timedelta(hours=20, minutes=40)
    return [item for item in storm(kol_id, start) if item["created_at"] < NOW.isoformat()]


def reasons(world: ServiceWorld, alert_id: str) -> list[str]:
    return [event["reason"] for event in world.get(f"/alerts/{alert_id}")["events"]]


def test_a_renamed_kol_is_the_same_under_both_ids(world: ServiceWorld) -> None:
    profile = {"name": "Lena", "handles": {"instagram": "lena"}, "followers": 5}
    world.client.put("/v1/kols/lena", json=profile)
    items = stormy("lena")
    world.send(items)
    ((alert_id, *_),) = opened = world.alerts()
    world.post(f"/alerts/{alert_id}/actions", MAI | {"action": "note", "text": "seen"})
    world.client.put("/v1/kols/lena/policy", json=MAI | {"sensitivity": 2.0})
    world.post("/posts", {"platform": "instagram", "post_id": "post-1", "kols": ["lena"]})
    span = {"ends_at": (NOW + timedelta(days=1)).isoformat(), "reason": "x"}
    world.post("/silences", MAI | span | {"kols": ["lena", "mina"], "kinds": ["flip"]})
    world.settle()
    before = {path: world.get(f"/kols/lena/{path}") for path in ("mood", "followers", "policy")}
    listed = world.get("/kols/lena/comments", limit=1000)["items"]
    told = world.get("/deliveries")["items"]
    events = reasons(world, alert_id)

    renamed = world.post("/kols/lena/rename", MAI | {"new_id": "lena-park"})
    world.settle()
    assert renamed["kol_id"] == "lena-park"
    assert {key: renamed[key] for key in profile} == profile
    assert [(one["kol_id"], one["kind"], one["actor"]) for one in renamed["aliases"]] == [
        ("lena", "renamed", "mai")
    ]
    assert [kol["kol_id"] for kol in world.get("/kols")["items"]] == ["lena-park"]
    assert world.get("/status")["kols"] == 1
    for name in ("lena", "lena-park"):
        kol = world.get(f"/kols/{name}")
        assert (kol["kol_id"], kol["status"]["kol_id"]) == ("lena-park", "lena-park")
        assert kol["status"]["alert_id"] == alert_id
        assert world.get(f"/kols/{name}/mood")["points"] == before["mood"]["points"]
        assert world.get(f"/kols/{name}/followers") == before["followers"]
        assert world.get(f"/kols/{name}/policy") == before["policy"]
        assert len(world.get(f"/kols/{name}/posts")["items"]) == 1
        found = world.get(f"/kols/{name}/comments", limit=1000)["items"]
        assert [one["comment_id"] for one in found] == [one["comment_id"] for one in listed]
        assert world.alerts(kol_id=name) == [(alert_id, "lena-park", "open")]
    assert opened == [(alert_id, "lena", "open")]
    assert reasons(world, alert_id) == events
    assert world.get(f"/alerts/{alert_id}")["actions"][0]["text"] == "seen"
    assert world.get("/silences")["items"][0]["kols"] == ["lena-park", "mina"]
    assert [one["key"] for one in world.get("/deliveries")["items"]] == [
        one["key"] for one in told
    ]  # nobody is notified again

    # Comments, handles and profiles that name the former id still reach it.
    again = [items[-1], items[-1] | {"comment_id": "new"}]
    assert world.send(again) == ["duplicate", "accepted"]
    by_handle = items[-1] | {"comment_id": "by handle", "kol_id": None, "handle": "@LENA"}
    assert world.send([by_handle]) == ["accepted"]
    newest = world.get("/kols/lena-park/comments", limit=2)["items"]
    assert {one["kol_id"] for one in newest} == {"lena-park"}
    world.client.put("/v1/kols/lena", json={"name": "Lena Park"})
    assert world.get("/kols/lena-park")["name"] == "Lena Park"
    # So do routes and brands of the channels file.
    world.send([item | {"kol_id": "lena"} for item in calm_after(world)])
    assert world.get("/deliveries")["items"][0]["reason"] == "resolved"
    preview = {"kind": "flip", "severity": "warning", "kol_id": "lena-park"}
    assert [one["channel"] for one in world.post("/routing/preview", preview)["plan"]] == ["crm"]
    digest = world.get("/digest", brand="acme", day="2026-03-10")
    assert [kol["kol_id"] for kol in digest["kols"]] == ["lena-park"]


def calm_after(world: ServiceWorld) -> list[dict[str, Any]]:
    """Six hours in which nobody is angry."""
    world.clock.advance(timedelta(hours=6))
    return [
        {
            "platform": "instagram",
            "comment_id": f"calm-{minute}",
            "text": f"love this {minute}",
            "author_id": f"a{minute}",
            "created_at": (NOW + timedelta(minutes=minute)).isoformat(),
        }
        for minute in range(0, 360, 3)
    ]


def test_a_kol_may_get_its_former_id_back(world: ServiceWorld, item: Item) -> None:
    world.send([item()])
    world.post("/kols/lena/rename", MAI | {"new_id": "b"})
    assert world.post("/kols/lena/rename", MAI | {"new_id": "c"})["kol_id"] == "c"
    renamed = world.post("/kols/b/rename", MAI | {"new_id": "lena"})
    assert renamed["kol_id"] == "lena"
    assert {one["kol_id"] for one in renamed["aliases"]} == {"b", "c"}
    for name in ("b", "c", "lena"):
        assert world.send([item(kol_id=name)]) == ["accepted"]
    assert len(world.get("/kols/lena/comments")["items"]) == 4


def test_an_id_from_before_is_renamed_to_one_that_fits(world: ServiceWorld, item: Item) -> None:
    answer = world.client.post("/v1/kols/x/rename", json=MAI | {"new_id": "y"})
    assert answer.status_code == 404
    world.send([item(), item(kol_id="mina")])
    for new_id, status, field in (
        ("a/b", 422, "new_id"),
        ("", 422, "new_id"),
        ("mina", 409, "new_id"),
        ("lena", 409, "new_id"),
    ):
        answer = world.client.post("/v1/kols/lena/rename", json=MAI | {"new_id": new_id})
        assert (answer.status_code, answer.json()["field"]) == (status, field), new_id
    assert {kol["kol_id"] for kol in world.get("/kols")["items"]} == {"lena", "mina"}


def test_merged_kols_are_one_and_are_separated_exactly(world: ServiceWorld, item: Item) -> None:
    start = NOW - timedelta(hours=6)

    def at(minute: int, **change: Any) -> dict[str, Any]:
        return item(created_at=(start + timedelta(minutes=minute)).isoformat(), **change)

    joint = at(5, comment_id="joint")
    gone = at(7, kol_id="mina", text="hate it")
    sent = [at(n, text="love it" if n % 3 else "hate it") for n in range(120)]
    sent += [at(n, kol_id="mina", text="hate it" if n % 2 else "ok") for n in range(0, 200, 2)]
    sent += [joint, joint | {"kol_id": "mina"}, gone]
    world.send(sent)
    world.send([gone | {"text": "[deleted]"}, sent[130] | {"text": "love it, edited"}])
    world.post("/posts", {"platform": "instagram", "post_id": "p", "kols": ["mina"]})
    streams, sums = world.streams(), world.sums()
    moods = {name: world.get(f"/kols/{name}/mood")["points"] for name in ("lena", "mina")}

    merged = world.post("/kols/mina/merge", MAI | {"into": "lena"})
    world.settle()
    assert (merged["kol_id"], merged["aliases"][0]["kind"]) == ("lena", "merged")
    assert [kol["kol_id"] for kol in world.get("/kols")["items"]] == ["lena"]
    assert world.get("/kols/mina")["kol_id"] == "lena"
    assert len(world.get("/kols/lena/posts")["items"]) == 1
    count = sum(point["comments"] for points in moods.values() for point in points)
    now = world.get("/kols/lena/mood")["points"]
    assert sum(point["comments"] for point in now) == count - 1  # the joint one is one comment now
    both = {(minute[1], *minute[2:]) for minute in world.sums() if minute[0] == "lena"}
    expected: dict[int, list[int]] = {}
    for kol_id, minute, *values in sums:
        if (kol_id, minute) == ("mina", micros(joint)):
            values = [
                value - one for value, one in zip(values, joint_sums(sums, joint), strict=True)
            ]
        entry = expected.setdefault(minute, [0] * len(values))
        expected[minute] = [old + new for old, new in zip(entry, values, strict=True)]
    assert both == {(minute, *values) for minute, values in expected.items()}

    later = at(300, kol_id="mina", comment_id="later")
    assert world.send([later, sent[-2] | {"kol_id": "mina"}]) == ["accepted", "duplicate"]
    assert world.post("/kols/mina/unmerge")["kol_id"] == "mina"
    world.settle()
    extra = world.streams() - streams
    assert streams <= world.streams()
    assert [(kol_id, sent_to) for _, kol_id, sent_to in extra] == [("mina", None)]
    assert {row for row in world.sums() if row[1] != micros(later)} == sums
    for name in ("lena", "mina"):
        points = world.get(f"/kols/{name}/mood")["points"]
        assert points[: len(moods[name])] == moods[name]
        assert world.get(f"/kols/{name}")["aliases"] == []
    assert world.send([at(301, kol_id="mina")]) == ["accepted"]
    assert len(world.get("/kols/mina/comments", limit=1000)["items"]) == 103


def micros(item: dict[str, Any]) -> int:
    minute = datetime.fromisoformat(item["created_at"]).replace(second=0)
    return int(minute.timestamp()) * 1_000_000


def joint_sums(sums: set[tuple[Any, ...]], joint: dict[str, Any]) -> list[int]:
    """What the joint comment adds to a minute: there is no other in that of `mina`."""
    ((_, _, *values),) = [row for row in sums if row[:2] == ("mina", micros(joint))]
    return values


def test_a_merge_moves_the_storm_and_its_end_moves_it_back(
    world: ServiceWorld,
) -> None:
    quiet = storm("mina", NOW - timedelta(days=1), days=1, storm_after=timedelta(days=9))
    world.send([*stormy("lena"), *quiet])
    ((alert_id, *_),) = world.alerts(state="open")
    events = reasons(world, alert_id)
    world.post("/kols/lena/merge", MAI | {"into": "mina"})
    world.settle()
    assert (alert_id, "lena", "resolved") in world.alerts()
    assert reasons(world, alert_id) == [*events, "resolved"]
    assert world.alerts(kol_id="lena") == [(alert_id, "lena", "resolved")]
    assert [kol_id for _, kol_id, _ in world.alerts(state="open")] == ["mina"]
    assert world.client.get(f"/alerts/{alert_id}").status_code == 200

    world.post("/kols/lena/unmerge")
    world.settle()
    assert world.alerts(state="open") == [(alert_id, "lena", "open")]


def test_merges_go_on_over_renames_and_further_merges(world: ServiceWorld, item: Item) -> None:
    world.send([item(kol_id=name) for name in ("a", "b", "c")])
    world.post("/kols/a/merge", MAI | {"into": "b"})
    world.post("/kols/b/rename", MAI | {"new_id": "b2"})
    world.post("/kols/b2/merge", MAI | {"into": "c"})
    assert world.send([item(kol_id=name) for name in ("a", "b", "b2", "c")]) == ["accepted"] * 4
    world.settle()
    assert len(world.get("/kols/c/comments")["items"]) == 7
    world.post("/kols/b2/unmerge")
    assert len(world.get("/kols/b2/comments")["items"]) == 5  # with those of a
    assert len(world.get("/kols/c/comments")["items"]) == 2
    world.post("/kols/a/unmerge")
    assert len(world.get("/kols/a/comments")["items"]) == 2
    assert len(world.get("/kols/b/comments")["items"]) == 3


def test_what_cannot_be_merged_is_said(world: ServiceWorld, item: Item) -> None:
    world.send([item(kol_id=name) for name in ("a", "b", "c")])
    world.post("/kols/a/merge", MAI | {"into": "b"})
    for path, body, status, said in (
        ("/kols/a/merge", {"into": "c"}, 409, "unmerge it first"),
        ("/kols/b/merge", {"into": "a"}, 409, "itself"),
        ("/kols/b/merge", {"into": "b"}, 409, "itself"),
        ("/kols/b/merge", {"into": "nobody"}, 404, "no KOL 'nobody'"),
        ("/kols/nobody/merge", {"into": "b"}, 404, "no KOL 'nobody'"),
        ("/kols/a/rename", {"new_id": "z"}, 409, "unmerge it first"),
        ("/kols/c/rename", {"new_id": "a"}, 409, "another KOL"),
        ("/kols/b/unmerge", {}, 409, "was not merged"),
        ("/kols/nobody/unmerge", {}, 404, "no KOL 'nobody'"),
        ("/kols/nobody/archive", {}, 404, "no KOL 'nobody'"),
        ("/kols/c/merge", {"into": "b", "actor": ""}, 422, "actor"),
        ("/kols/c/archive", {"actor": ""}, 422, "actor"),
    ):
        answer = world.client.post(f"/v1{path}", json=MAI | body)
        assert answer.status_code == status, (path, body, answer.text)
        assert said in answer.json()["detail"]


def test_an_archived_kol_is_kept_but_not_shown(world: ServiceWorld) -> None:
    items = stormy("lena")
    world.send(items[:-150])
    archived = world.post("/kols/lena/archive")
    assert archived["archived_at"] == "2026-03-10T12:00:00Z"
    world.clock.advance(timedelta(minutes=5))
    assert world.post("/kols/lena/archive")["archived_at"] == archived["archived_at"]
    assert world.get("/kols")["items"] == []
    assert [kol["kol_id"] for kol in world.get("/kols", archived=True)["items"]] == ["lena"]
    assert world.get("/digest", day="2026-03-10")["kols"] == []
    assert set(world.send(items[-150:])) == {"accepted"}
    (alert,) = world.get("/alerts")["items"]
    assert (alert["state"], alert["muted"]) == ("open", "the KOL is archived")
    told = world.get("/deliveries")["items"]
    assert {(one["state"], one["error"]) for one in told} == {("skipped", "the KOL is archived")}
    assert "The KOL is archived" in world.client.get(f"/alerts/{alert['alert_id']}").text
    assert world.post("/kols/lena/unarchive")["archived_at"] is None
    assert [kol["kol_id"] for kol in world.get("/kols")["items"]] == ["lena"]
    (alert,) = world.get("/alerts")["items"]
    assert alert["muted"] is None


def test_the_silence_of_an_archived_kol_is_no_gap() -> None:
    due, later = NOW + timedelta(hours=6), NOW + timedelta(hours=7)
    silent = FakeSilentKols(due=due)
    presences = Presences(Policy(), silent, idle_after=timedelta(0), started=NOW - DAY)
    presences.remember("lena", created_at=NOW, received_at=NOW)
    presences.set_delay("lena", timedelta(0))
    presences.archived = frozenset({"lena"})
    assert presences.due(later, 9) == ["lena"]
    assert presences.idle_mark("lena", later) is None
    assert not presences.is_due(later + DAY)
    presences.archived = frozenset()
    assert presences.due(later, 9) == ["lena"]
    assert presences.idle_mark("lena", later) == IdleMark("lena", due)
    silent.alerted = True
    for archived, past in ((frozenset({"lena"}), -1), (frozenset(), 60)):
        presences.archived = archived
        reached = due + timedelta(minutes=past)
        assert presences.idle_mark("lena", later) == IdleMark("lena", reached)
