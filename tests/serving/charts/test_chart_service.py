"""What is slow about the first chart is done before somebody waits for it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.charts import chart_service as chart_service
from serving.charts.chart_service import ChartService
from serving.settings import Settings

# Two charts: what the second one still loads or looks up, the first has not.
_SECOND = """
import sys
from serving.charts import drawing
from serving.charts.chart_service import _draw_nothing
from serving.notify.example import example_chart
from serving.locales.wording import wording
from tests.serving.conftest import NOW

_draw_nothing()
before, fonts = set(sys.modules), drawing._fonts.cache_info().misses
drawing.draw(example_chart(NOW), wording("vi"))
print(sorted(name for name in set(sys.modules) - before if name.startswith(("matplotlib", "PIL"))))
print(drawing._fonts.cache_info().misses - fonts)
"""


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    found = threading.Event()

    def draw(*_: object) -> bytes:
        if threading.current_thread().name.startswith("charts"):
            found.set()
        return b""

    monkeypatch.setattr(chart_service, "draw", draw)
    return found


def test_after_a_chart_of_nothing_the_next_one_loads_nothing() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _SECOND], capture_output=True, text=True, timeout=120, check=True
    )
    assert ran.stdout.splitlines() == ["[]", "0"]


def test_a_service_with_channels_draws_before_anybody_asks(
    settings: Settings, classifier: SentimentClassifier, tmp_path: Path, drawn: threading.Event
) -> None:
    channels = tmp_path / "channels.toml"
    channels.write_text(
        '[channels.crm]\ntype = "alertmanager"\nurl = "http://127.0.0.1:9"\n'
        '[[routes]]\nchannels = ["crm"]\n'
    )
    found = settings.model_copy(update={"channels": channels})
    with TestClient(create_app(found, classifier=classifier)):
        assert drawn.wait(30)


def test_a_service_without_channels_does_not(
    settings: Settings, classifier: SentimentClassifier, drawn: threading.Event
) -> None:
    with TestClient(create_app(settings, classifier=classifier)) as client:
        assert client.get("/readyz").status_code == 200
    assert not drawn.is_set()  # whatever was begun is done: the thread is waited for


def test_a_chart_that_cannot_be_drawn_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError("no fonts")

    monkeypatch.setattr(chart_service, "draw", fail)
    made = ChartService(None, None, None)  # type: ignore[arg-type]
    with structlog.testing.capture_logs() as logs:
        made.warm_up()
        made._thread.shutdown()
    assert [line["event"] for line in logs] == ["charts_cannot_be_drawn"]
