"""How the figures behind an alert moved, as bars of block characters."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from rich.text import Text

from groundswell_client.models.alerts import AlertEventInfo, TraceInfo, TracePointInfo
from serving.cli.output.sparkline import two_rows

_COLUMNS = 56
_LABEL = 15
_SEVERAL = "+"  # marks a column that holds more than one event


class TraceChart:
    """The bars of one trace.

    Attributes:
        minutes: that a column represents.
    """

    def __init__(self, trace: TraceInfo) -> None:
        """Spread the points of a trace, which has some, over at most 56 columns."""
        step = timedelta(seconds=trace.step)
        span = trace.until - trace.since
        self._since = trace.since
        self._width = step * math.ceil(span / step / _COLUMNS)
        self._steps = self._width / step
        self._columns: list[list[TracePointInfo]] = [
            [] for _ in range(math.ceil(span / self._width))
        ]
        for point in trace.points:
            self._columns[(point.start - trace.since) // self._width].append(point)
        self.minutes = self._width.total_seconds() / 60

    def rows(self, events: Sequence[AlertEventInfo]) -> Iterator[Text]:
        """A pair of rows for each detector, the negative share and the volume; then the events."""
        opened = events[0].evidence
        for score in opened.scores:
            ratios = [_highest_ratio(points, score.name) for points in self._columns]
            yield from _bars(score.name, f"threshold {score.threshold:.1f}", ratios, 1.0, times)
        normal = opened.expected_negative_share
        shares = [_negative_share(points) for points in self._columns]
        label = f"normal {normal:.0%}"
        yield from _bars("negative share", label, shares, normal, "{:.0%}".format)
        volumes = [_volume(points, self._steps) for points in self._columns]
        yield from _bars("comments", "normal", volumes, 1.0, times)
        yield self._marks([event.at for event in events])

    def _marks(self, times: Sequence[datetime]) -> Text:
        row = [" "] * len(self._columns)
        for number, at in enumerate(times, 1):
            place = min((at - self._since) // self._width, len(row) - 1)
            row[place] = str(number) if row[place] == " " and number < 10 else _SEVERAL
        return Text(f"{'events':>{_LABEL}} {''.join(row)}")


def times(ratio: float) -> str:
    """A ratio as text."""
    return f"{ratio:.1f} x"


def _highest_ratio(points: Sequence[TracePointInfo], name: str) -> float | None:
    ratios = (score.ratio for point in points for score in point.scores if score.name == name)
    return max(ratios, default=None)


def _negative_share(points: Sequence[TracePointInfo]) -> float | None:
    comments = sum(point.comments for point in points)
    return sum(point.negative for point in points) / comments if comments else None


def _volume(points: Sequence[TracePointInfo], steps: float) -> float | None:
    """Comments over the normal number; a point represents its step, and silent steps have none."""
    if not points:
        return None
    normal = sum(point.expected_comments for point in points) / len(points) * steps
    return sum(point.comments for point in points) / normal


def _bars(
    name: str,
    bound_name: str,
    values: Sequence[float | None],
    bound: float,
    shown: Callable[[float], str],
) -> Iterator[Text]:
    upper, lower = two_rows(values, bound)
    top = max((value for value in values if value is not None), default=0.0)
    reached = f" {shown(top)}" if top >= bound else ""
    yield Text(f"{name:>{_LABEL}} ").append(upper, style="red").append(reached)
    yield Text(f"{bound_name:>{_LABEL}} {lower}", style="dim")
