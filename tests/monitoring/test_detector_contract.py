"""The contract suite, over the whole table of detectors."""

from collections.abc import Callable

import pytest

from monitoring.detectors.registry import DetectorType, detector_types, register
from monitoring.detectors.share_shift import ShareShift, ShareShiftSettings, ShareShiftState
from monitoring.detectors.volume_surge import VolumeSurgeSettings
from monitoring.errors import PolicyError
from monitoring.kinds import AlertFamily
from tests.monitoring.detector_contract import CHECKS


@pytest.mark.parametrize("name", detector_types())
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Callable[[str], None], name: str) -> None:
    check(name)


def test_every_detector_file_is_found_and_minutes_come_first() -> None:
    assert list(detector_types(AlertFamily.BACKLASH)) == ["share_shift", "hour_scan"]
    assert list(detector_types(AlertFamily.PRAISE)) == ["praise_shift"]
    assert list(detector_types(AlertFamily.FLOOD)) == ["copies_shift"]
    assert list(detector_types(AlertFamily.ATTENTION)) == ["volume_surge"]
    assert list(detector_types(AlertFamily.GAP)) == []


def test_two_detectors_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two detectors named 'share_shift'"):
        register(detector_types()["share_shift"])


def test_a_detector_learns_either_minutes_or_hours() -> None:
    with pytest.raises(ValueError, match="either minutes or hours"):
        DetectorType("neither", AlertFamily.BACKLASH, ShareShiftState)
    with pytest.raises(ValueError, match="the praise family sees no hours"):
        DetectorType("late", AlertFamily.PRAISE, ShareShiftState, hours=lambda _: None)


@pytest.mark.parametrize(
    "bad",
    [
        {"step": 7},
        {"step": 0},
        {"tail": 1.0},
        {"span": 0},
        {"memory": 0.0},
        {"few": 0.0},
        {"warm_up": 0},
        {"threshold": 0.0},
        {"most": 0.0},
    ],
)
def test_settings_of_volume_that_cannot_be_meant_are_refused(bad: dict) -> None:
    with pytest.raises(PolicyError, match=next(iter(bad))):
        VolumeSurgeSettings(**bad)


@pytest.mark.parametrize(
    "bad", [{"deltas": ()}, {"deltas": (0.0,)}, {"fixed_threshold": 0.0}, {"worth_judging": -1.0}]
)
def test_settings_that_cannot_be_meant_are_refused(bad: dict) -> None:
    with pytest.raises(PolicyError, match=next(iter(bad))):
        ShareShift(ShareShiftSettings(**bad))
