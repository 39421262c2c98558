"""A KOL's first hours: what it borrows from others, and for how long."""

from unittest.mock import patch

import pytest

from monitoring import baseline
from monitoring.baseline import Baseline
from monitoring.engine import Engine
from monitoring.hours import Hour
from tests.monitoring.streams import windows

DAY = 24 * 60


def feed(engine, stream):
    return [event for window in stream for event in engine.observe_window(window)]


def young(share, comments, hours=4):
    base = Baseline()
    for hour in range(hours):
        n = comments // hours
        base.learn_hour(Hour(hour, n, share * n, 0.2 * n, n))
    return base


def heard(hour):
    """How many of eight KOLs of 20 comments a day are heard when a flash hits at `hour`."""
    start = hour * 60
    crisis = (start, start + 60, 1.5, 0.7)
    streams = [windows(seed, 20 / DAY, start + 60, crisis=crisis) for seed in range(8)]
    return sum(any(event.pages for event in feed(Engine(), stream)) for stream in streams)


def test_a_small_kol_is_heard_on_its_first_day():
    assert heard(12) >= 6
    with patch.multiple(baseline, _LENT=2.0, _KNOWN=10.0):
        assert heard(12) <= 3


@pytest.mark.parametrize("seed", range(6))
def test_a_kol_that_is_darker_than_most_is_not_paged_for_it(seed):
    stream = windows(seed, 0.1, DAY, share=0.4)
    assert [event for event in feed(Engine(), stream) if event.pages] == []


def test_what_is_borrowed_fades_as_a_kol_shows_itself():
    doubts = [young(0.5, comments).doubt for comments in (0, 8, 16)]
    assert doubts == pytest.approx([doubts[0]] * 3, rel=1e-3)  # it fills up what is missing
    shares = [young(0.5, comments).share for comments in (0, 8, 16, 80)]
    assert shares == sorted(shares)
    assert shares[0] == 0.18
    settled = young(0.5, 80)
    own = settled.weight
    assert settled.share == pytest.approx((0.5 * own + 0.18 * 2) / (own + 2), abs=1e-3)


def test_nothing_of_praise_is_borrowed():
    base = young(0.2, 8)
    assert base.known
    assert not base.settled
    assert base.positive_doubt > 1.5 * base.doubt


@pytest.mark.parametrize("comments", [8, 4000])
def test_a_new_normal_is_taken_over_whole(comments):
    base = young(0.2, comments)
    positive = base.positive
    base.rebase(0.6)
    assert base.share == pytest.approx(0.6, abs=0.04)
    assert base.positive == pytest.approx(positive, abs=0.08)
