from dataclasses import asdict
from datetime import timedelta

import pytest

from monitoring.errors import PolicyError
from monitoring.policy import Policy


@pytest.mark.parametrize(
    "bad",
    [
        {"sensitivity": 0},
        {"sensitivity": -1},
        {"sensitivity": float("nan")},
        {"hold": timedelta(0)},
        {"critical_share": 1.2},
        {"brigade_author_share": 2},
        {"lateness": timedelta(hours=2)},
        {"lateness": timedelta(seconds=-1)},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(bad):
    with pytest.raises(PolicyError, match=next(iter(bad))):
        Policy(**bad)


def test_no_lateness_is_allowed():
    assert Policy(lateness=timedelta(0)).lateness == timedelta(0)


def test_the_defaults_are_the_calibrated_ones():
    hour = timedelta(hours=1)
    assert asdict(Policy()) == {
        "sensitivity": 1.0,
        "lateness": timedelta(minutes=2),
        "minimum_negative": 4.0,
        "hold": hour / 2,
        "reopen_within": 48 * hour,
        "reopen_fraction": 0.5,
        "cooldown": 24 * hour,
        "aftershock_ratio": 1.2,
        "longest": 72 * hour,
        "critical_ratio": 8.0,
        "critical_share": 0.5,
        "critical_negative": 50.0,
        "slow_after": 3 * hour,
        "flip_below": 1.6,
        "brigade_author_share": 0.4,
        "brigade_duplicate_share": 0.5,
        "gap_nats": 12.0,
        "gap_least": hour / 4,
    }


@pytest.mark.parametrize(
    "bound",
    [
        {"lateness": timedelta(hours=1)},
        {"critical_share": 1.0},
        {"brigade_author_share": 1.0},
        {"brigade_duplicate_share": 1.0},
        {"sensitivity": 1e-9},
        {"hold": timedelta(microseconds=1)},
    ],
)
def test_the_bounds_themselves_are_allowed(bound):
    ((name, value),) = bound.items()
    assert getattr(Policy(**bound), name) == value


def test_a_lateness_of_more_than_an_hour_is_refused():
    with pytest.raises(PolicyError, match="lateness"):
        Policy(lateness=timedelta(hours=1, microseconds=1))
