"""The monitor of praise: good news is reported once, and never pages."""

from dataclasses import replace

import msgspec

from monitoring.alerts import AlertEvent
from monitoring.baseline import Baseline
from monitoring.detectors.base import Normal
from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore
from monitoring.exponential_window import FADE_MINUTES, ExponentialWindow
from monitoring.kinds import AlertFamily, AlertKind, Severity
from monitoring.monitors.alert_tracker import AlertTracker, TrackerState
from monitoring.monitors.detector_set import DetectorSet, DetectorStates
from monitoring.policy import Policy
from monitoring.stretch import Stretch, recent_stretch

_VOLUME = 2.0  # comments over the normal
_MINIMUM = 20.0  # positive comments


class PraiseState(msgspec.Struct, array_like=True):
    """What the monitor of praise has seen.

    Attributes:
        tracker: the alert and its recovery.
        detectors: what each of them knows, by name; None starts them afresh.
    """

    tracker: TrackerState = msgspec.field(default_factory=TrackerState)
    detectors: DetectorStates | None = None


class PraiseMonitor:
    """Positive comments of one KOL: share and volume up together.

    Attributes:
        tracker: the alert and its recovery.
        state: what it has seen.
    """

    __slots__ = ("_baseline", "_detectors", "_policy", "_recent", "state", "tracker")

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
        self._policy = policy
        self._detectors = DetectorSet(AlertFamily.PRAISE, state.detectors)
        state.detectors = self._detectors.states
        self.tracker = AlertTracker(kol_id, AlertFamily.PRAISE, policy, baseline, state.tracker)
        self.refresh()

    def set_policy(self, policy: Policy) -> None:
        """Decide by `policy` from here on."""
        self._policy = policy
        self.tracker.set_policy(policy)
        self.refresh()

    def refresh(self) -> None:
        """Take over what the baseline has learnt."""
        base = self._baseline
        normal = Normal(base.positive, base.rho[0], base.doubt, active=base.active)
        self._detectors.expect(normal, self._policy.sensitivity)

    def learn_one(self, minute: int, n: int, k: float, excess: float) -> list[AlertEvent]:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC.
            n: comments, at least one.
            k: sum of P(positive).
            excess: comments beyond the normal volume.
        """
        score = self._detectors.learn_one(minute, n, k, excess)
        if self.tracker.state.alert is not None and self.tracker.open:
            self.tracker.recovery.learn_one(n, k)
        elif score < 1.0 or not self._baseline.known:
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
            self._detectors.reset()
        if not self.tracker.open:
            self.tracker.expire(moment_of(end))
            return []
        normal = self._baseline.expected(hour) * self._baseline.positive
        self.tracker.recovery.learn_hour(end, k, normal, observed_span)
        return self._turn(end)

    def _turn(self, now: int) -> list[AlertEvent]:
        stretch = self._stretch(now)
        scores = self._judge(now, stretch, inputs=True)
        was_open = self.tracker.open
        if not self.tracker.wants_evidence(max(one.ratio for one in scores), now):
            return []
        recent = recent_stretch(self._recent, self._baseline, now)
        rate = self._recent.positive * self._recent.fade(now) / FADE_MINUTES
        normal = self._baseline.positive
        events = self.tracker.turn(
            now, AlertKind.PRAISE_SURGE, Severity.INFO, rate, stretch, scores, recent, normal
        )
        if was_open and not self.tracker.open:
            self._detectors.reset()
        return events

    def scores(self, now: int) -> tuple[DetectorScore, ...]:
        """The value of each detector at `now`, the end of the last minute (since 1970 UTC)."""
        return self._judge(now, self._stretch(now))

    def _stretch(self, now: int) -> Stretch:
        found = self._detectors.stretch(now, self._baseline.expected_between)
        return Stretch(now - 1, now, 0, 0.0, 0.0) if found is None else found

    def _judge(
        self, now: int, stretch: Stretch, *, inputs: bool = False
    ) -> tuple[DetectorScore, ...]:
        """The value of each detector; nothing where the volume is not up too."""
        loud = stretch.volume_ratio >= _VOLUME and stretch.k >= _MINIMUM
        scores = self._detectors.scores(now, inputs=inputs and loud, shortest=1.0)
        return scores if loud else tuple(replace(one, value=0.0) for one in scores)
