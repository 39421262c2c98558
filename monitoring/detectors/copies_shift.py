"""A shift of the share of near-copies: the CUSUMs of `share_shift`, applied to floods."""

from functools import partial

from monitoring.detectors.registry import DetectorType, register
from monitoring.detectors.share_shift import ShareShift, ShareShiftSettings, ShareShiftState
from monitoring.kinds import AlertFamily

# A share of copies jumps, and often from next to none.
SETTINGS = ShareShiftSettings(deltas=(1.2, 2.0, 3.5), fixed_threshold=9.0)

register(
    DetectorType(
        name="copies_shift",
        family=AlertFamily.FLOOD,
        state=ShareShiftState,
        minutes=partial(ShareShift, SETTINGS),
    )
)
