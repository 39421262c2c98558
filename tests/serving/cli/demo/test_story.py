"""The demo end to end: the real service, our scenario over HTTP, the alerts as they arise."""

import asyncio
import random
import re
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from rich.console import Console

from model.classifier import SentimentClassifier, shipped_weights
from model.fake_backend import FakeBackend
from model.types import Prediction
from serving.app import create_app
from serving.cli import hosting
from serving.cli import main as cli
from serving.cli.demo import story
from serving.cli.demo.cast import KOLS, SCENARIO
from serving.cli.demo.grammar import MILD, SOUR
from serving.cli.demo.scenario import SPAN, generate, plan
from serving.cli.demo.screen import DemoScreen
from serving.cli.demo.story import DemoResult, play
from serving.settings import Settings

END = datetime(2026, 3, 2, 21, tzinfo=UTC)
ITEMS = generate(END)


class IntendedMood:
    """A model that knows what the writer meant, and errs like a good classifier: it finds three of
    four hostile comments and takes one in twelve others for hostile.
    """

    model_id = "intended"

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


async def shown(tmp_path: Path, *, keep: bool = False, port: int = 0) -> tuple[DemoResult, str]:
    path = tmp_path / "shown.txt"
    with path.open("w", encoding="utf-8", buffering=1) as file:
        console = Console(file=file, width=100)
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'demo.db'}", _env_file=None, port=port
        )
        result = await play(settings, END, DemoScreen(console, live=False), keep=keep)
    return result, path.read_text("utf-8")


async def read_the_pages_then_press_ctrl_c(read: Callable[[], str]) -> dict[str, int]:
    """Open every page that the demo names, as soon as it says that it keeps running."""
    while "/metrics" not in read():
        await asyncio.sleep(0.05)
    urls = re.findall(r"http://\S+", read())
    async with httpx.AsyncClient() as http:
        found = {url: (await http.get(url)).status_code for url in urls}
    signal.raise_signal(signal.SIGINT)
    return found


def check_story(result: DemoResult, text: str) -> None:
    """Exactly the storm pages; it is opened in the storm, resolved in the story, and shown."""
    assert result.accepted == len(ITEMS)
    paging = [alert for alert in result.alerts if alert.severity != "info"]
    assert [alert.kol_id for alert in paging] == [SCENARIO.storm_kol]
    opened = paging[0].opened_at - (END - SPAN)
    assert SCENARIO.storm_after < opened < SCENARIO.personal_after + timedelta(hours=1)
    assert paging[0].state == "resolved"
    pages = [event.reason for event in result.events if event.severity != "info"]
    assert pages[0] == "opened"
    assert pages[-1] == "resolved"
    assert "Mirelle Vane · opened" in text
    assert "The alert was raised" in text
    for kol in KOLS:
        assert kol.name in text
    for label in ("volume", "negative", "top post", "comments", "audience"):
        assert f"│ {label} " in text


@pytest.mark.slow
async def test_with_a_good_model_kept_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=IntendedMood()))
    path = tmp_path / "shown.txt"
    path.touch()
    pressed = read_the_pages_then_press_ctrl_c(lambda: path.read_text("utf-8"))
    reading = asyncio.create_task(pressed)
    result, text = await shown(tmp_path, keep=True)
    check_story(result, text)
    pages = await reading
    assert set(pages.values()) == {200}
    storm = next(alert for alert in result.alerts if alert.severity != "info")
    assert [url.partition("/")[2].partition("/")[2].partition("/")[2] for url in pages] == [
        f"alerts/{storm.alert_id}",
        "docs",
        "metrics",
    ]
    assert "keeps running until you press Ctrl-C" in text


@pytest.mark.slow
@pytest.mark.skipif(not shipped_weights().exists(), reason="the weights are not there")
async def test_with_the_shipped_model(tmp_path: Path) -> None:
    check_story(*await shown(tmp_path))


async def test_a_taken_port_is_replaced_and_no_address_outlives_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = SentimentClassifier.from_backend(FakeBackend())
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=fake))
    monkeypatch.setattr(story, "generate", lambda end: generate(end)[:300])
    with hosting.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result, text = await shown(tmp_path, port=port)
    assert result.accepted == 300
    assert f"Port {port} is taken; using port " in text
    assert "http://" not in text


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
    out = capsys.readouterr().out
    assert "Two days, three KOLs" in out
    assert "http://" not in out
    for line in ("groundswell demo --keep", "make serve", f"--database-url sqlite:///{kept}"):
        assert line in " ".join(out.split())
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


@pytest.mark.parametrize(
    ("arguments", "stdin", "stdout", "kept"),
    [
        ([], True, True, True),
        ([], False, True, False),
        ([], True, False, False),
        (["--record", "demo.svg"], True, True, False),
        (["--no-keep"], True, True, False),
        (["--keep"], False, False, True),
    ],
)
def test_it_keeps_running_where_a_person_is_there(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    stdin: bool,
    stdout: bool,
    kept: bool,
) -> None:
    keeps: list[bool] = []

    async def play(*_: object, keep: bool) -> None:
        keeps.append(keep)

    monkeypatch.setattr(story, "play", play)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: stdin))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: stdout)
    assert cli.run(["demo", *arguments]) == 0
    assert keeps == [kept]
    out = capsys.readouterr().out
    assert "has stopped" in out
    assert ("demo --keep" in out) is not kept
