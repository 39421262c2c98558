"""The watch for praise: good news is told once, and never pages."""

import msgspec

from monitoring.alerts import AlertEvent
from monitoring.baseline import Baseline
from monitoring.detectors.share_shift import ShareShift, ShareShiftState
from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore
from monitoring.exponential_window import FADE_MINUTES, ExponentialWindow
from monitoring.monitors.alert_tracker import AlertTracker, Stretch, TrackerState, recent_stretch
from monitoring.policy import Policy

_THRESHOLD = 9.0  # nats
_VOLUME = 2.0  # comments over the usual
_MINIMUM = 20.0  # positive comments


class PraiseState(msgspec.Struct, array_like=True):
    """What the monitor of praise has seen.

    Attributes:
        tracker: the alert and its recovery.
        shift: of the minutes; None before a first one is seen.
    """

    tracker: TrackerState = msgspec.field(default_factory=TrackerState)
    shift: ShareShiftState | None = None


class PraiseMonitor:
    """Positive comments of one KOL: share and volume up together.

    Attributes:
        tracker: the alert and its recovery.
        state: what it has seen.
    """

    __slots__ = ("_baseline", "_recent", "_shift", "state", "tracker")

    def __init__(
        self,
        kol_id: str,
        policy: Policy,
        baseline: Baseline,
        recent: ExponentialWindow,
        state: PraiseState | None = None,
    ) -> None:
        self.state = state = PraiseState() if state is None else state
        self._baseline = baseline
        self._recent = recent
        self._shift = ShareShift(
            baseline.positive, baseline.rho[0], baseline.doubt, state=state.shift
        )
        state.shift = self._shift.state
        self.tracker = AlertTracker(kol_id, "praise", policy, baseline, state.tracker)
        self.refresh()

    def refresh(self) -> None:
        """Take over what the baseline has learnt."""
        base = self._baseline
        self._shift.expect(base.positive, base.rho[0], base.doubt)

    def learn_one(self, minute: int, n: int, k: float, excess: float) -> list[AlertEvent]:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC.
            n: comments, at least one.
            k: sum of P(positive).
            excess: comments beyond the usual volume.
        """
        self._shift.learn_one(minute, n, k, excess)
        if self.tracker.open:
            self.tracker.recovery.learn_one(n, k)
        elif self._shift.score_one() < _THRESHOLD or not self._baseline.known:
            return []
        return self._turn(minute + 1)

    def close_hour(self, hour: int, k: float, observed_span: tuple[int, int]) -> list[AlertEvent]:
        """Take the end of an hour.

        Args:
            hour: hours since 1970 UTC.
            k: sum of P(positive) in it.
            observed_span: minutes from and up to which nothing was missed.
        """
        end = hour * 60 + 60
        if not self._baseline.known:
            self._shift.reset()
        if not self.tracker.open:
            self.tracker.expire(moment_of(end))
            return []
        usual = self._baseline.expected(hour) * self._baseline.positive
        self.tracker.recovery.learn_hour(end, k, usual, observed_span)
        return self._turn(end)

    def _turn(self, now: int) -> list[AlertEvent]:
        stretch = self._stretch(now)
        said = self._judge(stretch, told=True)
        was_open = self.tracker.open
        if not self.tracker.wants_evidence(said.value / _THRESHOLD, now):
            return []
        recent = recent_stretch(self._recent, self._baseline, now)
        rate = self._recent.positive * self._recent.fade(now) / FADE_MINUTES
        usual = self._baseline.positive
        events = self.tracker.turn(
            now, "praise_surge", "info", rate, stretch, (said,), recent, usual
        )
        if was_open and not self.tracker.open:
            self._shift.reset()
        return events

    def scores(self, now: int) -> tuple[DetectorScore, ...]:
        """What the detector says at the end of the last minute taken, `now` (since 1970 UTC)."""
        return (self._judge(self._stretch(now)),)

    def _stretch(self, now: int) -> Stretch:
        shift = self._shift.state
        start = shift.start if shift.start is not None else now - 1
        expected = self._baseline.expected_between(start, now)
        return Stretch(start, now, shift.n, shift.k, expected)

    def _judge(self, stretch: Stretch, told: bool = False) -> DetectorScore:
        loud = stretch.volume_ratio >= _VOLUME and stretch.k >= _MINIMUM
        value = self._shift.score_one() if loud else 0.0
        span = float(stretch.end - stretch.start)
        inputs = self._shift.inputs() if loud and told else {}
        return DetectorScore("praise_shift", span, value, _THRESHOLD, inputs)
