"""One file adds a type of channel: toy_channel.py, which nothing in the product names."""

import importlib
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.cli import main as cli
from serving.clock import TestClock
from serving.notify.channels import registry
from serving.notify.channels.registry import channel_types
from serving.settings import Settings
from tests.serving.conftest import NOW
from tests.serving.notify.channel_contract import CHECKS, a_message_holds_no_more_than_the_maximum
from tests.serving.notify.conftest import World
from tests.serving.notify.outside import outside
from tests.serving.streams import storm, wait_until_processed

MODULE = "tests.serving.notify.toy_channel"
CHANNELS = """
[channels.bear]
type = "toy"
url = "http://127.0.0.1:{port}/toys/bear"
volume = 11
per_minute = 600

[[routes]]
channels = ["bear"]
"""


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy's file, imported; afterwards the table is as before."""
    before = channel_types()
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_TYPES", dict(before))
        importlib.import_module(MODULE)
        assert set(channel_types()) - set(before) == {"toy"}
        yield
    del sys.modules[MODULE]
    assert channel_types() == before


@pytest.mark.usefixtures("toy")
def test_check_config_accepts_a_toy_and_names_mistakes_in_its_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "channels.toml"
    path.write_text(CHANNELS.format(port=80))
    assert cli.run(["check", "config", str(path)]) == 0
    assert "Channels: bear; routes: 1" in capsys.readouterr().err
    path.write_text(CHANNELS.format(port=80).replace("volume", "loudness"))
    assert cli.run(["check", "config", str(path)]) == 2
    message = "channels.toml:5: loudness: there is no such key; delete it or correct its spelling"
    assert message in capsys.readouterr().err.replace("\n", " ")
    path.write_text(CHANNELS.format(port=80).replace("/toys/", "/"))
    assert cli.run(["check", "config", str(path)]) == 2
    assert "channels.toml:4: the URL names no toy" in capsys.readouterr().err.replace("\n", " ")


def test_without_its_file_there_is_no_toy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "channels.toml"
    path.write_text(CHANNELS.format(port=80))
    assert cli.run(["check", "config", str(path)]) == 2
    assert "channels.toml:3: channel 'bear': type must be one of" in capsys.readouterr().err


@pytest.mark.usefixtures("toy")
def test_an_alert_reaches_a_toy_through_the_service(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock, tmp_path: Path
) -> None:
    path = tmp_path / "channels.toml"
    with outside() as servers:
        path.write_text(CHANNELS.format(port=servers.port))
        settings = settings.model_copy(update={"channels": path})
        app = create_app(settings, classifier=classifier, clock=clock)
        with TestClient(app, raise_server_exceptions=False) as client:
            items = storm("lena", NOW - timedelta(hours=30))
            for first in range(0, len(items), 500):
                assert client.post("/v1/comments", json=items[first : first + 500]).is_success
            wait_until_processed(client)
            states = {"waiting"}
            while "waiting" in states:
                clock.advance(timedelta(seconds=1))  # the channel's rate
                states = {one["state"] for one in client.get("/v1/deliveries").json()["items"]}
            assert states == {"delivered"}
    first = servers.arrivals[0]
    assert first.way == "/toys/bear"
    spoken = json.loads(first.body)
    assert spoken["volume"] == 11
    assert "lena" in spoken["text"]


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_a_toy_keeps_the_contract(check: Callable[[str], Awaitable[None]]) -> None:
    await check("toy")


@pytest.mark.usefixtures("toy")
async def test_a_message_to_a_toy_holds_no_more_than_the_maximum(world: World) -> None:
    await a_message_holds_no_more_than_the_maximum("toy", world)
