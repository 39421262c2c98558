"""What is normal for a KOL, and what a lasting turn makes of it."""

import pytest

from monitoring.baseline import Baseline
from monitoring.hours import Hour


def test_a_new_normal_share_of_negatives_leaves_the_share_of_praise_as_it_was():
    base = Baseline()
    for number in range(14 * 24):
        base.learn_hour(Hour(number, comments=40, negative=8.0, positive=16.0, active=30))
    before = base.positive
    base.rebase(0.6)
    assert base.share == pytest.approx(0.6, abs=0.03)
    assert base.positive == pytest.approx(before, abs=0.03)


def test_a_share_that_moved_is_kept_but_trusted_less():
    base = Baseline()
    for number in range(14 * 24):
        base.learn_hour(Hour(number, comments=40, negative=8.0, positive=16.0, active=30))
    share, bright, doubt = base.share, base.bright, base.doubt
    base.loosen()
    assert base.share == pytest.approx(share, abs=0.02)
    assert base.bright == pytest.approx(bright, abs=0.02)
    assert base.doubt > doubt
    for number in range(14 * 24, 17 * 24):  # a new level is learnt faster than it was before
        base.learn_hour(Hour(number, comments=40, negative=24.0, positive=4.0, active=30))
    assert base.share > 0.3


@pytest.mark.parametrize(("of_40", "bound"), [(0.0, 0.005), (40.0, 0.995)])
def test_a_share_is_never_taken_for_certain(of_40: float, bound: float) -> None:
    base = Baseline()
    for number in range(28 * 24):
        base.learn_hour(Hour(number, comments=40, negative=of_40, positive=of_40, active=30))
    assert base.share == base.positive == bound
