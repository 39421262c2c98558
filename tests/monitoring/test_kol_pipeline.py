"""The minutes of one KOL come in order, also after time has passed without comments."""

import pytest

from monitoring.errors import OutOfOrderError
from monitoring.event_time import minute_of
from monitoring.kol_pipeline import KolPipeline
from monitoring.policy import Policy
from monitoring.windows import WindowStats
from tests.monitoring.streams import MINUTE, START


def window(minutes: int) -> WindowStats:
    return WindowStats("lena", START + minutes * MINUTE, 2, 1.0, 1.0)


def test_a_minute_that_time_has_passed_is_refused():
    pipeline = KolPipeline("lena", Policy())
    pipeline.step(window(0))
    pipeline.step(window(1))
    with pytest.raises(OutOfOrderError, match="is not after 2026-03-02T00:01:00"):
        pipeline.step(window(1))
    pipeline.pass_time(minute_of(START) + 125)
    for minutes in (2, 119):
        with pytest.raises(OutOfOrderError, match="is not after 2026-03-02T01:59:00"):
            pipeline.step(window(minutes))
    pipeline.step(window(120))
