"""The chain benchmark's own parts: what it replays, what it asks for, how it counts and keeps."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.delivery import faults, report, stack
from benchmarks.delivery.chain import ChainEvent
from benchmarks.delivery.storm import created, for_the_fake_model, of_the_demo
from serving.cli.demo.cast import SCENARIO
from serving.cli.demo.scenario import SPAN
from tests.serving.notify.outside import outside

END = datetime(2026, 3, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_the_first_hostile_comment_of_the_demo_is_where_its_storm_begins() -> None:
    storm = of_the_demo(END)
    begins = END - SPAN + SCENARIO.storm_after
    assert begins <= storm.first < begins + timedelta(minutes=15)
    assert [item for item in storm.items if created(item) == storm.first]
    assert storm.items == sorted(storm.items, key=created)


def test_an_outage_begins_in_a_calm_and_each_alert_ends_in_it() -> None:
    storm = for_the_fake_model(END)
    calm = list(faults._part(storm, None, timedelta()))
    stormy = list(faults._part(storm, timedelta(), timedelta(minutes=40)))
    rest = list(faults._part(storm, timedelta(minutes=40), None))
    assert [*calm, *stormy, *rest] == storm.items
    assert created(stormy[0]) == storm.first
    assert len(stormy) > 100


def test_events_have_event_time_clock_time_and_delay() -> None:
    rows = report.rows(
        [
            ChainEvent("first", END, END - timedelta(hours=18)),
            ChainEvent("opened", END + 3 * SECOND, END - timedelta(hours=17, minutes=47)),
            ChainEvent("e-mail", END + 5 * SECOND, cause=END + 3 * SECOND),
        ]
    )
    figures = [tuple(row.values())[1:] for row in rows]
    assert figures == [(0.0, 0.0, None), (13.0, 3.0, None), (None, 5.0, 2.0)]


def test_each_run_keeps_the_others_part_of_the_result(tmp_path: Path) -> None:
    path = tmp_path / "delivery.json"
    report.save(path, "storm", {"how": "slowly"})
    report.save(path, "faults", {"how": "badly"})
    report.save(path, "storm", {"how": "fast"})
    found = json.loads(path.read_text())
    assert {part: found[part]["how"] for part in found} == {"storm": "fast", "faults": "badly"}
    assert found["storm"]["machine"]["python"]


def test_a_program_that_is_missing_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with (
        outside() as world,
        pytest.raises(stack.NotInstalled, match="apt-get install prometheus"),
        stack.running(tmp_path, world, shipped=False, hurried=True),
    ):
        raise AssertionError("it started")
