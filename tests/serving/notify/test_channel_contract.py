"""Every type of channel in the table, and the fake, keep the contract of channels."""

import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from serving.notify.channels import registry
from serving.notify.channels.registry import channel_types
from serving.notify.config.notification_config import load
from tests.serving.notify.channel_contract import (
    CHECKS,
    MARK,
    SECRET,
    FakeHarness,
    a_message_holds_no_more_than_the_maximum,
)
from tests.serving.notify.conftest import World

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "notifications.md"
TYPES = ("alertmanager", "apprise", "email", "lark", "slack", "teams", "webhook")


def test_the_table_lists_the_channels_and_nothing_else() -> None:
    assert tuple(channel_types()) == TYPES


def test_the_table_says_which_types_are_stateful_and_which_take_digests() -> None:
    types = channel_types().values()
    assert [one.name for one in types if one.stateful] == ["alertmanager", "webhook"]
    assert [one.name for one in types if one.takes_digests] == ["email"]


def test_the_table_imports_no_heavy_library() -> None:
    code = (
        "import sys; from serving.notify.channels.registry import channel_types; "
        "assert len(channel_types()) == 7; "
        "heavy = {'apprise', 'matplotlib', 'onnxruntime', 'pandas', 'river'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stderr


def test_two_types_cannot_have_the_same_name() -> None:
    with pytest.raises(ValueError, match="two types of channel named 'slack'"):
        registry.register(channel_types()["slack"])
    assert tuple(channel_types()) == TYPES


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", [*channel_types(), FakeHarness.name])
async def test_a_channel_keeps_the_contract(
    name: str, check: Callable[[str], Awaitable[None]]
) -> None:
    await check(name)


@pytest.mark.parametrize("name", [*channel_types(), FakeHarness.name])
async def test_a_message_holds_no_more_than_the_maximum(name: str, world: World) -> None:
    await a_message_holds_no_more_than_the_maximum(name, world)


@pytest.mark.parametrize("name", TYPES)
def test_the_example_of_a_type_is_a_correct_channel(name: str, tmp_path: Path) -> None:
    settings = {"type": name, **channel_types()[name].example}
    path = tmp_path / "channels.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    path.write_text("\n".join(["[[routes]]", 'channels = ["a"]', "[channels.a]", *lines]))
    channel = load(path, {"CRM_SECRET": SECRET}).channels["a"]
    assert channel.type is channel_types()[name]
    assert MARK in channel.url
    assert MARK not in repr(channel)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_documented(name: str) -> None:
    assert re.search(rf'`{name}`|type = "{name}"', DOCUMENT.read_text())
