"""How long is waited: after failures, and between two questions about a post."""

from datetime import UTC, datetime, timedelta

import pytest

from serving.sources.backoff import Backoff
from serving.sources.post_schedule import PostSchedule

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_pauses_double_up_to_the_longest_with_jitter() -> None:
    backoff = Backoff(first=2, longest=20)
    assert [backoff.fail(dice=0) for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert Backoff(first=2).fail(dice=0.999) == pytest.approx(2, rel=0.01)
    assert backoff.fail(wanted=90, dice=0) == 90  # never shorter than the platform wants
    backoff.succeed()
    assert backoff.fail(dice=0) == 1
    assert all(Backoff(failures=10_000).fail() <= 300 for _ in range(3))


def test_a_post_that_stirs_is_asked_often_and_an_old_one_seldom() -> None:
    schedule = PostSchedule()
    schedule.add("old", NOW - timedelta(days=10), NOW)
    schedule.add("new", NOW - MINUTE, NOW)
    assert schedule.due(NOW) == ["old", "new"]
    at, asked = NOW, {"old": 0, "new": 0}
    while at < NOW + timedelta(hours=5):
        for post_id in schedule.due(at):
            asked[post_id] += 1
            schedule.asked(post_id, at, 0)
        at += timedelta(seconds=30)
    assert asked["new"] >= 60  # every five minutes at least
    assert asked["old"] < 20
    schedule.asked("old", at, 25)
    assert schedule.due(at + timedelta(seconds=30)) == ["old"]


def test_it_is_kept_in_a_cursor_and_bad_rows_are_left_out() -> None:
    schedule = PostSchedule()
    schedule.add("a", NOW, NOW)
    schedule.asked("a", NOW, 2)
    rows = schedule.as_json()
    again = PostSchedule.of([*rows, {"id": "b"}, None, {"id": "c", "published": "x"}])
    assert again.as_json() == rows
    assert len(PostSchedule.of("nonsense")) == 0


def test_posts_that_are_silent_for_long_or_gone_are_not_asked() -> None:
    schedule = PostSchedule()
    schedule.add("a", NOW - timedelta(days=100), NOW)
    schedule.add("b", NOW, NOW)
    schedule.asked("a", NOW, 0)
    assert "a" not in schedule
    schedule.remove("b")
    assert schedule.next_at() is None
    for number in range(2001):
        schedule.add(str(number), NOW + number * MINUTE, NOW)
    assert len(schedule) == 2000
    assert "0" not in schedule
