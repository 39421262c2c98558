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
