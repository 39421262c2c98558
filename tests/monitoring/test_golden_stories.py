"""What the engine makes of fixed stories is what it made before, to the last figure."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from tests.monitoring.golden_story import FOLDER, STORIES


def differences(found: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Where two values of JSON differ; floats may differ by a millionth."""
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        for key in found:
            yield from differences(found[key], expected[key], f"{path}.{key}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from differences(one, other, f"{path}[{place}]")
    elif isinstance(found, float) and isinstance(expected, float):
        if not math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9):
            yield f"{path}: {found}, not {expected}"
    elif found != expected:
        yield f"{path}: {found!r:.200}, not {expected!r:.200}"


@pytest.mark.parametrize("name", STORIES)
def test_a_story_gives_the_golden_figures(name: str) -> None:
    """If a change is meant: python -m tests.monitoring.golden_story."""
    expected = json.loads((FOLDER / f"{name}.json").read_text())
    assert list(differences(json.loads(json.dumps(STORIES[name]())), expected))[:5] == []


def test_the_stories_hold_every_kind_of_alert() -> None:
    events = [
        event
        for name in ("crisis", "copies", "praise", "burn", "attention")
        for event in json.loads((FOLDER / f"{name}.json").read_text())["events"]
    ]
    assert {event["kind"] for event in events} == {
        *(
            "attention_surge",
            "backlash",
            "brigade",
            "comment_flood",
            "data_gap",
            "flip",
            "praise_surge",
            "slow_burn",
        ),
    }
    assert {event["reason"] for event in events} == {
        *("opened", "escalated", "resolved", "reopened", "aftershock"),
    }
