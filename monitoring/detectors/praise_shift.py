"""A shift of the positive share: the CUSUMs of `share_shift`, applied to praise."""

from functools import partial

from monitoring.detectors.registry import DetectorType, register
from monitoring.detectors.share_shift import ShareShift, ShareShiftSettings, ShareShiftState
from monitoring.kinds import AlertFamily

# Good news wakes nobody, so its threshold does not follow the sensitivity.
SETTINGS = ShareShiftSettings(fixed_threshold=9.0)

register(
    DetectorType(
        name="praise_shift",
        family=AlertFamily.PRAISE,
        state=ShareShiftState,
        minutes=partial(ShareShift, SETTINGS),
    )
)
