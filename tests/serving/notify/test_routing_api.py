"""The routes over HTTP: as they stand, and what they would do; no address is shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.notify.test_route_reader import CHANNELS, GOOD


@pytest.fixture
def routed(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock, tmp_path: Path
) -> Iterator[TestClient]:
    path = tmp_path / "channels.toml"
    path.write_text(CHANNELS + GOOD)
    app = create_app(
        settings.model_copy(update={"channels": path}), classifier=classifier, clock=clock
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_the_routes_as_they_are(routed: TestClient) -> None:
    answer = routed.get("/v1/routing")
    assert "hooks.slack.com" not in answer.text
    assert answer.json() == {
        "channels": [{"name": name, "type": "slack"} for name in ("desk", "phone", "boss")],
        "brands": {"acme": ["lena", "mina"], "Über": ["otto"]},
        "teams": [
            {
                "name": "hanoi",
                "channels": ["desk"],
                "timezone": "Asia/Ho_Chi_Minh",
                "hours": ["Mon-Fri 08:00-19:00", "Sat 09:00-12:00"],
                "on_call": ["phone"],
                "opens_at": "2026-03-11T01:00:00Z",
            }
        ],
        "routes": [
            {
                "channels": [],
                "teams": ["hanoi"],
                "kols": ["lena", "mina", "nora"],
                "kinds": None,
                "platforms": ["tiktok"],
                "min_severity": "warning",
                "pages_only": True,
                "continue": False,
                "escalate": [{"after_seconds": 5400.0, "to": ["boss"]}],
            }
        ],
        "digests": [],
    }
    assert routed.get("/readyz").json()["workers"]["escalator"] is True


def test_what_a_transition_would_do(routed: TestClient) -> None:
    example = {"kol_id": "lena", "severity": "critical", "platform": "tiktok"}
    found = routed.post("/v1/routing/preview", json=example).json()
    assert found == {
        "at": "2026-03-10T12:00:00Z",
        "plan": [
            {
                "channel": "phone",
                "page": True,
                "not_before": None,
                "why": "route 1: outside the hours of team hanoi, critical: on call",
            },
            {
                "channel": "desk",
                "page": True,
                "not_before": "2026-03-11T01:00:00Z",
                "why": "route 1: outside the hours of team hanoi: waits until they begin",
            },
        ],
        "escalations": [
            {"route": 1, "step": 1, "at": "2026-03-10T13:30:00Z", "channels": ["boss"]}
        ],
    }
    by_day = example | {"at": "2026-03-11T03:00:00Z"}
    found = routed.post("/v1/routing/preview", json=by_day).json()
    assert [planned["channel"] for planned in found["plan"]] == ["desk"]
    elsewhere = routed.post("/v1/routing/preview", json=example | {"platform": "x"}).json()
    assert elsewhere["plan"] == elsewhere["escalations"] == []


def test_a_preview_too_far_from_now_is_refused(routed: TestClient) -> None:
    far = {"kol_id": "lena", "severity": "info", "at": "2028-03-11T03:00:00Z"}
    answer = routed.post("/v1/routing/preview", json=far)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_range")


def test_without_a_channels_file_there_is_nothing(client: TestClient) -> None:
    assert client.get("/v1/routing").json() == {
        "channels": [], "brands": {}, "teams": [], "routes": [], "digests": [],
    }  # fmt: skip
