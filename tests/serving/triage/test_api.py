"""Work on alerts over HTTP and from the command line, on the running service."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from groundswell_client import AsyncClient
from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.cli import connection as cli_connection
from serving.cli import main as cli
from serving.cli import terminal
from serving.clock import TestClock
from serving.settings import Settings
from serving.storage.database import Database
from tests.serving.conftest import NOW
from tests.serving.triage.conftest import TriageDesk

HOUR = timedelta(hours=1)


@pytest.fixture
def settings(empty: Path, tmp_path: Path) -> Settings:
    path = shutil.copy(empty, tmp_path / "work.db")
    return Settings(database_url=f"sqlite:///{path}", _env_file=None)


@pytest.fixture
def client(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock
) -> Iterator[TestClient]:
    """A service with three alerts: a1 of lena, b2 of mina, and c3 of lena, the last opened."""

    async def befall() -> None:
        desk = TriageDesk(Database(settings.database_url), clock)
        await desk.befall(at=NOW - 3 * HOUR)
        await desk.befall(alert_id="b2", kol_id="mina", severity="critical", at=NOW - 2 * HOUR)
        await desk.befall(alert_id="c3", kind="brigade", at=NOW - HOUR)
        await desk.database.close()

    asyncio.run(befall())
    app = create_app(settings, classifier=classifier, clock=clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def action(client: TestClient) -> Callable[..., Any]:
    """Does something to an alert and returns the answer."""

    def post(alert_id: str, verb: str, actor: str = "mai", **more: Any) -> Any:
        answer = client.post(
            f"/v1/alerts/{alert_id}/actions", json={"action": verb, "actor": actor, **more}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


def listed(client: TestClient, **query: Any) -> list[str]:
    return [alert["alert_id"] for alert in client.get("/v1/alerts", params=query).json()["items"]]


def silence(client: TestClient, **body: Any) -> httpx.Response:
    values = {"ends_at": (NOW + HOUR).isoformat(), "reason": "giveaway", "actor": "mai"}
    return client.post("/v1/silences", json=values | body)


def test_work_on_an_alert_from_start_to_end(
    client: TestClient, clock: TestClock, action: Callable[..., Any]
) -> None:
    untouched = client.get("/v1/alerts/a1").json()
    assert set(untouched["triage"].values()) == {None}
    assert (untouched["muted"], untouched["actions"]) == (None, [])
    acted = action("a1", "acknowledge", text="on it")
    assert acted["action"]["action"] == "acknowledge"
    assert acted["triage"]["acknowledged_by"] == "mai"
    assert action("a1", "acknowledge", "linh")["action"] is None
    action("a1", "assign", assignee="  Bảo ")
    until = (NOW + HOUR).isoformat()
    assert action("a1", "snooze", until=until)["muted"].startswith("snoozed until 2026-03-10 13:00")
    clock.advance(HOUR)
    assert client.get("/v1/alerts/a1").json()["muted"] is None
    action("a1", "resolve", "linh")
    alert = client.get("/v1/alerts/a1").json()
    assert alert["state"] == "open"  # the detector's own view goes on
    assert alert["triage"] == {
        "acknowledged_by": "mai",
        "acknowledged_at": NOW.isoformat().replace("+00:00", "Z"),
        "assignee": "Bảo",
        "snoozed_by": None,
        "snoozed_until": None,
        "closed_by": "linh",
        "closed_at": (NOW + HOUR).isoformat().replace("+00:00", "Z"),
        "false_alarm_by": None,
    }
    assert alert["muted"] == "resolved, says linh"
    assert [(done["action"], done["actor"], done["text"]) for done in alert["actions"]] == [
        ("acknowledge", "mai", "on it"),
        ("assign", "mai", None),
        ("snooze", "mai", None),
        ("resolve", "linh", None),
    ]
    action("a1", "false_alarm")
    assert action("a1", "reopen")["triage"]["false_alarm_by"] is None


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"action": "note", "actor": "mai"}, "invalid_parameter", "text"),
        ({"action": "snooze", "actor": "mai"}, "invalid_parameter", "until"),
        ({"action": "snooze", "actor": "mai", "until": "2026-03-10T12:00:00"}, None, "until"),
        ({"action": "snooze", "actor": "mai", "until": "0001-01-01T00:00:00+14:00"}, None, "until"),
        ({"action": "snooze", "actor": "mai", "until": "9999-12-31T23:59:59-14:00"}, None, "until"),
        ({"action": "ack", "actor": "mai"}, None, "action"),
        ({"action": "acknowledge", "actor": "   "}, None, "actor"),
        ({"action": "acknowledge", "actor": "mai", "who": "linh"}, None, "who"),
    ],
)
def test_an_action_that_is_refused_names_its_field(
    client: TestClient, body: dict[str, Any], code: str | None, field: str
) -> None:
    answer = client.post("/v1/alerts/a1/actions", json=body)
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["field"]) == (code or "invalid_parameter", field)
    assert client.get("/v1/alerts/a1").json()["actions"] == []


def test_an_action_on_nothing(client: TestClient) -> None:
    answer = client.post("/v1/alerts/none/actions", json={"action": "acknowledge", "actor": "mai"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_alerts_are_listed_by_how_they_stand(
    client: TestClient, action: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.api.alerts._AT_ONCE", 1)
    action("a1", "acknowledge")
    action("b2", "assign", assignee="linh")
    assert silence(client, kinds=["brigade"]).status_code == 201
    assert listed(client) == ["c3", "b2", "a1"]
    assert listed(client, acknowledged=True) == ["a1"]
    assert listed(client, acknowledged=False) == ["c3", "b2"]
    assert listed(client, assignee="linh") == ["b2"]
    assert listed(client, assignee="mai") == []
    assert listed(client, muted=True) == ["c3"]
    assert listed(client, muted=False, severity="warning") == ["a1"]
    first = client.get("/v1/alerts", params={"muted": False, "limit": 1}).json()
    assert [alert["alert_id"] for alert in first["items"]] == ["b2"]
    assert listed(client, muted=False, limit=1, cursor=first["next_cursor"]) == ["a1"]


def test_silences_are_made_listed_and_ended(client: TestClient, clock: TestClock) -> None:
    made = silence(client, kols=["mina", "lena", "lena"], max_severity="warning").json()
    assert made["state"] == "active"
    assert made["kols"] == ["lena", "mina"]
    assert made["starts_at"] == made["created_at"]
    later = silence(
        client,
        posts=["p7"],
        starts_at=(NOW + HOUR).isoformat(),
        ends_at=(NOW + 2 * HOUR).isoformat(),
    ).json()
    assert later["state"] == "pending"
    assert client.get(f"/v1/silences/{later['silence_id']}").json() == later
    page = client.get("/v1/silences", params={"limit": 1}).json()
    assert page["items"] == [later]
    rest = client.get("/v1/silences", params={"cursor": page["next_cursor"]}).json()
    assert rest == {"items": [made], "next_cursor": None}
    assert client.get("/v1/silences", params={"state": "active"}).json()["items"] == [made]
    assert listed(client, muted=True) == ["c3", "a1"]
    ended = client.post(f"/v1/silences/{made['silence_id']}/expire", json={"actor": "linh"})
    assert (ended.json()["state"], ended.json()["expired_by"]) == ("expired", "linh")
    assert listed(client, muted=True) == []
    assert client.get("/v1/silences/99").status_code == 404
    assert client.post("/v1/silences/99/expire", json={"actor": "linh"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_parameter", "body"),
        ({"kols": []}, "invalid_parameter", "kols"),
        ({"kinds": ["storm"]}, "invalid_parameter", "kinds.0"),
        ({"kols": ["lena"], "reason": " "}, "invalid_parameter", "reason"),
        ({"kols": ["lena"], "ends_at": None}, "invalid_parameter", "ends_at"),
        ({"kols": ["lena"], "ends_at": NOW.isoformat()}, "invalid_range", "ends_at"),
        ({"kols": ["lena"], "ends_at": "9999-12-31T23:59:59-14:00"}, "invalid_range", "ends_at"),
    ],
)
def test_a_silence_that_is_refused_names_its_field(
    client: TestClient, body: dict[str, Any], code: str, field: str
) -> None:
    answer = silence(client, **body)
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["field"]) == (code, field)
    assert client.get("/v1/silences").json()["items"] == []


def test_feedback(client: TestClient, action: Callable[..., Any]) -> None:
    action("a1", "acknowledge")
    action("c3", "false_alarm")
    found = client.get("/v1/feedback").json()
    assert [
        (row["kol_id"], row["kind"], row["raised"], row["precision"]) for row in found["totals"]
    ] == [("lena", "backlash", 1, 1.0), ("lena", "brigade", 1, 0.0), ("mina", "backlash", 1, None)]
    assert [row["week"] for row in found["weeks"]] == ["2026-03-09"] * 3
    assert found["totals"][0]["precision_low"] < 0.5 < found["totals"][0]["precision_high"]
    only = client.get("/v1/feedback", params={"kol_id": "mina", "kind": "backlash"}).json()
    assert len(only["totals"]) == 1
    none = client.get("/v1/feedback", params={"to": (NOW - 9 * HOUR).isoformat()}).json()
    assert none["totals"] == none["weeks"] == []
    wrong = client.get("/v1/feedback", params={"from": NOW.isoformat(), "to": NOW.isoformat()})
    assert wrong.json()["code"] == "invalid_range"


def test_with_channels_a_watch_runs_and_systems_hear_of_ends(
    settings: Settings,
    classifier: SentimentClassifier,
    clock: TestClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CRM_SECRET", "0123456789abcdef")
    path = tmp_path / "channels.toml"
    path.write_text(
        '[channels.crm]\ntype = "webhook"\nurl = "http://127.0.0.1:9"\nsecret_env = "CRM_SECRET"\n'
        '[channels.am]\ntype = "alertmanager"\nurl = "http://127.0.0.1:9"\n'
        '[channels.team]\ntype = "apprise"\nurl = "mailto://u:p@example.com"\n'
        '[[routes]]\nchannels = ["crm", "am", "team"]\n'
    )
    told = settings.model_copy(update={"channels": path})
    with TestClient(create_app(told, classifier=classifier, clock=clock)) as client:
        assert client.get("/readyz").json()["workers"]["unmute_notifier"] is True
        outbox = client.app.state.service.unmute_notifier._outbox  # type: ignore[attr-defined]
        assert outbox._rules.stateful_receivers == {"crm", "am"}


@pytest.fixture
def run(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs a command line against the service; returns what it printed, or its complaint."""

    def answer(request: httpx.Request) -> httpx.Response:
        got = client.request(
            request.method, str(request.url), content=request.content, headers=request.headers
        )
        return httpx.Response(got.status_code, content=got.content, headers=got.headers)

    def in_test(_url: str, **_: object) -> AsyncClient:
        return AsyncClient(str(client.base_url), transport=httpx.MockTransport(answer))

    def run(*arguments: str, code: int = 0) -> str:
        assert cli.run(arguments) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    monkeypatch.setattr(cli_connection, "AsyncClient", in_test)
    monkeypatch.setattr(terminal.out, "width", 200)
    monkeypatch.delenv("GROUNDSWELL_ACTOR", raising=False)
    return run


def test_the_commands_work_on_alerts(
    client: TestClient, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "mai")
    assert run("ack", "a1", "--note", "on it") == "a1: acknowledged by mai\n"
    assert json.loads(run("ack", "a1", "--as", "linh", "--json"))["action"] is None
    assert run("ack", "a1", "--as", "linh") == "a1: acknowledged by mai\n"
    assert "assigned to Bảo" in run("assign", "a1", "Bảo", "--as", "linh")
    run("note", "a1", "they [bold]deleted\nthe post")
    assert "resolved, says mai" in run("resolve", "a1")
    shown = run("alerts", "a1")
    for line in (
        "linh assign to Bảo",
        "mai acknowledge: on it",
        "mai note: they [bold]deleted the post",
        "now: acknowledged by mai; assigned to Bảo; resolved, says mai",
    ):
        assert line in shown
    assert "acknowledged by mai; assigned to Bảo" in run("alerts", "--assignee", "Bảo")
    for verb in ("ack", "assign", "resolve"):
        run(verb, "a1", "--undo")
    assert (
        client.get("/v1/alerts/a1").json()["triage"] == client.get("/v1/alerts/b2").json()["triage"]
    )
    assert "a false alarm, says mai" in run("false-alarm", "b2")
    assert [a["alert_id"] for a in json.loads(run("alerts", "--muted", "--json"))] == ["b2"]
    assert "neither acknowledged nor assigned" in run("false-alarm", "b2", "--undo")
    monkeypatch.setenv("GROUNDSWELL_ACTOR", "oanh")
    assert json.loads(run("ack", "c3", "--json"))["action"]["actor"] == "oanh"
    assert "there is no alert 'none'" in run("ack", "none", code=1)


def test_the_commands_snooze(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.clock.SystemClock.now", lambda _: NOW)
    snoozed = run("snooze", "c3", "1h30m", "--as", "mai")
    assert "snoozed until 2026-03-10 13:30 UTC by mai" in snoozed
    assert "2026-03-10 15:00 UTC by mai" in run("snooze", "c3", "2026-03-10T15:00", "--as", "mai")
    assert "neither acknowledged nor assigned" in run("snooze", "c3", "--undo", "--as", "mai")
    for wrong in (("2x",), ("tomorrow",), (), ("2h", "--undo")):
        assert "UNTIL" in run("snooze", "c3", *wrong, "--as", "mai", code=2)
    assert "--undo" in run("assign", "c3", code=2)
    monkeypatch.setattr("serving.settings.getpass.getuser", _nobody)
    assert "--as" in run("ack", "c3", code=2)


def _nobody() -> str:
    raise OSError("no user name")


def test_the_commands_silence_and_tell_the_feedback(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.clock.SystemClock.now", lambda _: NOW)
    monkeypatch.setenv("GROUNDSWELL_ACTOR", "mai")
    assert "no silences" in run("silence", "list")
    made = run(
        "silence", "add", "--kol-id", "lena", "--kind", "brigade", "--max-severity", "warning",
        "--until", "2d", "--from", "1h", "--reason", "[red]giveaway",
    )  # fmt: skip
    for said in ("pending", "2026-03-10 13:00", "2026-03-12 12:00", "[red]giveaway"):
        assert said in made
    assert "KOL lena; kind brigade; up to warning" in made
    assert "pending" in run("silence", "list", "--state", "pending")
    assert "mai, ended by linh" in run("silence", "expire", "1", "--as", "linh")
    assert "give at least one of" in run("silence", "add", "--until", "2d", "--reason", "x", code=2)
    run("ack", "a1")
    run("false-alarm", "c3")
    shown = run("feedback", "--kol-id", "lena")
    assert "100%" in shown
    assert "21% to 100%" in shown
    assert "week of" not in shown
    assert "2026-03-09" in run("feedback", "--weekly")
    assert len(json.loads(run("feedback", "--json"))["totals"]) == 3
    assert "no alerts" in run("feedback", "--kind", "flip")
    assert "--since" in run("feedback", "--since", "soon", code=2)
