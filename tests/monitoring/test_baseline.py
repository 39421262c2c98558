"""What is usual of a KOL, and what a lasting turn makes of it."""

import pytest

from monitoring.baseline import Baseline
from monitoring.hours import Hour


def test_a_new_usual_of_negatives_leaves_the_share_of_praise_as_it_was():
    base = Baseline()
    for number in range(14 * 24):
        base.learn_hour(Hour(number, comments=40, negative=8.0, positive=16.0, active=30))
    before = base.positive
    base.rebase(0.6)
    assert base.share == pytest.approx(0.6, abs=0.03)
    assert base.positive == pytest.approx(before, abs=0.03)
