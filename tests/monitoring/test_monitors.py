"""What a monitor decides at its boundaries, on a baseline whose figures are exact."""

import pytest

from monitoring.authorship import Authorship
from monitoring.baseline import Baseline, BaselineState
from monitoring.exponential_window import ExponentialWindow
from monitoring.monitors.attention import AttentionMonitor
from monitoring.monitors.backlash import BacklashMonitor
from monitoring.monitors.gap import GapMonitor
from monitoring.monitors.praise import PraiseMonitor
from monitoring.policy import Policy
from monitoring.stretch import Stretch

DAY = 1440


class Steady(Baseline):
    """A baseline that knows the shares well, and that expects one comment a minute."""

    def __init__(self) -> None:
        super().__init__(BaselineState(weight=1e6, k=0.2e6, positive=0.3e6))

    def expected(self, hour: int) -> float:
        return 60.0

    def assured(self, hour: int) -> float:
        return 60.0


def test_a_monitor_knows_what_is_normal_from_the_start():
    """One that is made from a snapshot does not wait for the next hour."""
    backlash = BacklashMonitor("lena", Policy(), Steady(), ExponentialWindow(), Authorship())
    praise = PraiseMonitor("lena", Policy(), Steady(), ExponentialWindow())
    assert backlash.judged
    for monitor in (backlash, praise):
        at_once = monitor.scores(0)
        monitor.refresh()
        assert monitor.scores(0) == at_once
        assert all(score.threshold > 1.0 for score in at_once)


def test_a_new_policy_decides_on_backlash_at_once():
    """From the next minute on, and not from the next hour."""
    backlash = BacklashMonitor("lena", Policy(), Steady(), ExponentialWindow(), Authorship())
    before = [score.threshold for score in backlash.scores(0)]
    backlash.set_policy(Policy(sensitivity=0.01))
    after = [score.threshold for score in backlash.scores(0)]
    assert all(new > old for new, old in zip(after, before, strict=True))


def test_a_silence_that_is_a_gap_at_the_very_end_of_two_days_is_reported():
    """It is long enough at the end of the last minute that is looked at, and no sooner."""
    for nats, due in ((2 * DAY, 60 + 2 * DAY), (2 * DAY + 1, None)):
        gap = GapMonitor("lena", Policy(gap_nats=float(nats)), Steady())
        gap.learn_one(59, 1, 0.0)
        assert gap.due(60) == due


@pytest.mark.parametrize(("minutes", "judged"), [(0, False), (1, True)])
def test_attention_is_another_incident_up_to_a_day_after_its_end(minutes, judged):
    attention = AttentionMonitor("lena", Policy(), Steady())
    for hour in range(8 * 24 + 12):
        attention.learn_one(hour * 60, 60 if hour < 8 * 24 else 600, 10.0)
        attention.close_hour(hour, explained=False)
    now = 8 * DAY + 12 * 60
    day = Stretch(now - DAY, now, 12 * 660, 240.0, 24 * 60.0)
    attention.state.quiet_until = now - minutes
    assert any(score.value > 0 for score in attention._judge(now, day)) is judged
