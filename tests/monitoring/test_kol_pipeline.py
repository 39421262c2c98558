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


@pytest.mark.parametrize(
    ("hours", "closed"),
    [(1440, 1440), (1441, 1441), (1488, 1488), (1489, 1488), (9000, 1488)],
)
@pytest.mark.parametrize("declared", [0, 700, 1440, 8000])
def test_of_a_very_long_silence_only_its_start_and_its_end_are_walked_through(
    monkeypatch, hours, closed, declared
):
    numbers = []
    close_hour = KolPipeline._close_hour

    def counted(self, events):
        numbers.append(self.state.hour.number - minute_of(START) // 60)
        close_hour(self, events)

    monkeypatch.setattr(KolPipeline, "_close_hour", counted)
    pipeline = KolPipeline("lena", Policy())
    pipeline.step(window(0))
    pipeline.pass_time(minute_of(START) + min(declared, hours) * 60)
    pipeline.step(window(hours * 60))
    assert len(numbers) == closed
    assert numbers[:1440] == list(range(1440))
    assert numbers[1440:] == list(range(hours - (closed - 1440), hours))
