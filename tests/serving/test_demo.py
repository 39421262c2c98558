"""The demo end to end: the real service, our scenario over HTTP, the alerts as they arise."""

import asyncio
import random
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from model.classifier import SentimentClassifier, shipped_weights
from model.fake_backend import FakeBackend
from model.types import Prediction
from serving.app import create_app
from serving.cli import hosting
from serving.cli import main as cli
from serving.cli.demo import story
from serving.cli.demo.grammar import MILD, SOUR
from serving.cli.demo.scenario import KOLS, SCENARIO, SPAN, generate, plan
from serving.cli.demo.screen import Screen
from serving.cli.demo.story import Outcome, play
from serving.settings import Settings

END = datetime(2026, 3, 2, 21, tzinfo=UTC)
ITEMS = generate(END)


class Reader:
    """A model that knows what the writer meant, and errs like a good classifier: it hears three
    of four hostile comments and takes one in twelve others for hostile.
    """

    model_id = "reader"

    def __init__(self) -> None:
        self._mood: dict[str, str] = {}
        for kol in KOLS:
            moments = plan(kol, random.Random(f"20/{kol.kol_id}"))
            own = [item for item in ITEMS if item["kol_id"] == kol.kol_id]
            own.sort(key=lambda item: str(item["comment_id"]))
            for moment, item in zip(moments, own, strict=True):
                self._mood[str(item["text"])] = moment.mood

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Prediction:
        mood, luck = self._mood[text], random.Random(text).random()
        if luck < (0.75 if mood in SOUR else 0.08):
            return Prediction(0.9, 0.06, 0.04)
        return Prediction(0.03, 0.07, 0.9) if mood in MILD else Prediction(0.05, 0.85, 0.1)


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


async def shown(tmp_path: Path, **more: object) -> tuple[Outcome, str]:
    with (tmp_path / "shown.txt").open("w", encoding="utf-8") as file:
        console = Console(file=file, width=100)
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'demo.db'}", _env_file=None, **{"port": 0} | more
        )
        outcome = await play(settings, END, Screen(console, live=False), keep=False)
    return outcome, (tmp_path / "shown.txt").read_text("utf-8")


def check_story(outcome: Outcome, text: str) -> None:
    """Exactly the storm pages; it is opened in the storm, resolved in the story, and shown."""
    assert outcome.accepted == len(ITEMS)
    paging = [alert for alert in outcome.alerts if alert["severity"] != "info"]
    assert [alert["kol_id"] for alert in paging] == [SCENARIO.storm_kol]
    opened = datetime.fromisoformat(paging[0]["opened_at"]) - (END - SPAN)
    assert SCENARIO.storm_after < opened < SCENARIO.personal_after + timedelta(hours=1)
    assert paging[0]["state"] == "resolved"
    pages = [event["reason"] for event in outcome.events if event["severity"] != "info"]
    assert pages[0] == "opened"
    assert pages[-1] == "resolved"
    assert "Mirelle Vane · opened" in text
    assert "the alert was raised" in text
    for kol in KOLS:
        assert kol.name in text
    for label in ("volume", "negative", "top post", "comments", "audience"):
        assert f"│ {label} " in text


@pytest.mark.slow
async def test_with_a_good_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=Reader()))
    check_story(*await shown(tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(not shipped_weights().exists(), reason="the weights are not there")
async def test_with_the_shipped_model(tmp_path: Path) -> None:
    check_story(*await shown(tmp_path))


async def test_a_taken_port_is_replaced_and_the_addresses_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = SentimentClassifier.from_backend(FakeBackend())
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=fake))
    monkeypatch.setattr(story, "generate", lambda end: generate(end)[:300])
    with hosting.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        outcome, text = await shown(tmp_path, port=port)
    assert outcome.accepted == 300
    assert f"port {port} is taken, using " in text
    assert "/docs" in text
    assert "/metrics" in text


def test_the_command_records_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = SentimentClassifier.from_backend(FakeBackend())
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=fake))
    monkeypatch.setattr(story, "generate", lambda end: generate(end)[:100])
    kept = tmp_path / "kept.db"
    arguments = ["demo", "--no-keep", "--port", "0", "--database", str(kept)]
    assert cli.run([*arguments, "--record", "demo.svg"]) == 0
    assert kept.exists()
    picture = Path("demo.svg").read_text("utf-8")
    assert picture.startswith("<svg")
    assert "Mirelle" in picture
    assert "font-face" not in picture
    assert "url(http" not in picture
    assert "Two days, three KOLs" in capsys.readouterr().out
    assert cli.run(arguments) == 2
    assert "exists already" in capsys.readouterr().err


async def test_ctrl_c_ends_the_story_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = SentimentClassifier.from_backend(FakeBackend())
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=fake))

    def press(end: datetime) -> list[dict[str, object]]:
        asyncio.get_running_loop().call_later(0.5, signal.raise_signal, signal.SIGINT)
        return generate(end)

    monkeypatch.setattr(story, "generate", press)
    with pytest.raises(KeyboardInterrupt):
        await shown(tmp_path)
    assert "Two days" not in (tmp_path / "shown.txt").read_text("utf-8")
