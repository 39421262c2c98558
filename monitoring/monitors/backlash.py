"""The monitor of backlash: what its detectors say together, what to call it, how bad it is."""

import msgspec

from monitoring.alerts import AlertEvent
from monitoring.authorship import Authorship
from monitoring.baseline import Baseline
from monitoring.detectors.base import Normal
from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore
from monitoring.exponential_window import FADE_MINUTES, ExponentialWindow
from monitoring.hours import Hour
from monitoring.kinds import AlertFamily, AlertKind, Severity
from monitoring.monitors.alert_tracker import AlertTracker, TrackerState
from monitoring.monitors.detector_set import DetectorSet, DetectorStates
from monitoring.policy import Policy
from monitoring.stretch import Stretch, recent_stretch


class BacklashState(msgspec.Struct, array_like=True):
    """What the monitor of backlash has seen.

    Attributes:
        tracker: the alert and its recovery.
        detectors: what each of them knows, by name; None starts them afresh.
        score: largest detector value over its threshold.
    """

    tracker: TrackerState = msgspec.field(default_factory=TrackerState)
    detectors: DetectorStates | None = None
    score: float = 0.0


class BacklashMonitor:
    """Negative comments of one KOL, by the minute and by the hour.

    Attributes:
        tracker: the alert and its recovery.
        state: what it has seen; its score pages from 1 on.
    """

    __slots__ = (
        "_authorship",
        "_baseline",
        "_detectors",
        "_known",
        "_policy",
        "_recent",
        "state",
        "tracker",
    )

    def __init__(
        self,
        kol_id: str,
        policy: Policy,
        baseline: Baseline,
        recent: ExponentialWindow,
        authorship: Authorship,
        state: BacklashState | None = None,
    ) -> None:
        self.state = state = BacklashState() if state is None else state
        self._policy = policy
        self._baseline = baseline
        self._recent = recent
        self._authorship = authorship
        self._detectors = DetectorSet(AlertFamily.BACKLASH, state.detectors)
        state.detectors = self._detectors.states
        self.tracker = AlertTracker(kol_id, AlertFamily.BACKLASH, policy, baseline, state.tracker)
        self.refresh()

    def set_policy(self, policy: Policy) -> None:
        """Decide by `policy` from here on."""
        self._policy = policy
        self.tracker.set_policy(policy)
        self.refresh()

    def refresh(self) -> None:
        """Take over what the baseline has learnt."""
        base = self._baseline
        normal = Normal(base.share, base.rho[0], base.doubt, base.phi, base.active)
        self._detectors.expect(normal, self._policy.sensitivity)
        self._known = base.known

    @property
    def shown_score(self) -> float:
        """The backlash score with that of the last full hour in it."""
        return max(self.state.score, self._known * self._detectors.hour_score)

    @property
    def judged(self) -> bool:
        """Whether enough has been learnt for a detector over its threshold to raise an alert."""
        return self._known

    @property
    def alarmed(self) -> bool:
        """Whether the comments that come in now are no example of what is normal."""
        return self.state.score >= 1.0 or self.tracker.open

    def learn_one(
        self, minute: int, n: int, k: float, excess: float, hour: Hour
    ) -> list[AlertEvent]:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC.
            n: comments, at least one.
            k: sum of P(negative).
            excess: comments beyond the normal volume.
            hour: sums of the open hour, this minute included.
        """
        score = self._detectors.learn_one(minute, n, k, excess) * self._known
        self.state.score = score
        if self.tracker.state.alert is None:
            if score < 1.0:
                return []
        elif self.tracker.open:
            self.tracker.recovery.learn_one(n, k)
        if not self.tracker.wants_evidence(score, minute + 1) and not self._rises(minute + 1, hour):
            return []
        return self._turn(minute + 1, hour)

    def close_hour(self, hour: Hour, observed_span: tuple[int, int]) -> list[AlertEvent]:
        """Take the end of an hour.

        Args:
            hour: its sums.
            observed_span: minutes from and up to which nothing was missed.
        """
        base = self._baseline
        expected = base.expected(hour.number)
        if self._known:
            self._detectors.learn_hour(hour, expected, base, not self.alarmed)
        else:  # what was compared with a guess is no evidence once the baseline is known
            self._detectors.reset()
        end = hour.number * 60 + 60
        if self.tracker.open:
            self.tracker.recovery.learn_hour(
                end, hour.negative, expected * base.share, observed_span
            )
        else:
            self.tracker.expire(moment_of(end))
        self.state.score = self._known * self._detectors.score
        if not self.tracker.wants_evidence(self.state.score, end):
            return []
        missed_input = observed_span[1] <= hour.number * 60
        return self._turn(end, Hour(hour.number + 1), missed_input)

    def _rises(self, now: int, hour: Hour) -> bool:
        """Whether an alert becomes critical by what detectors of hours were sure of before."""
        return (
            self.tracker.open
            and self._detectors.hour_score >= 1.0
            and self._critical_stretch(now, hour) is not None
        )

    def _turn(self, now: int, hour: Hour, missed_input: bool = False) -> list[AlertEvent]:
        stretch = self._stretch(now)
        if stretch.k < self._policy.minimum_negative and not self.tracker.open:
            return []
        was_open = self.tracker.open
        rate = self._recent.negative * self._recent.fade(now) / FADE_MINUTES
        severest = stretch if self._is_critical(stretch) else self._critical_stretch(now, hour)
        events = self.tracker.turn(
            now,
            self._kind(now, stretch),
            Severity.WARNING if severest is None else Severity.CRITICAL,
            rate,
            stretch,
            self.scores(now, inputs=True),
            recent_stretch(self._recent, self._baseline, now),
            self._baseline.share,
            severest,
        )
        if was_open and not self.tracker.open:
            if not self.tracker.recovery.complete and not missed_input:
                self._baseline.rebase(self.tracker.recovery.share)
            self._detectors.reset()
            self.state.score = 0.0
        return events

    def scores(self, now: int, *, inputs: bool = False) -> tuple[DetectorScore, ...]:
        """The value of each detector at the end of the last minute taken.

        Args:
            now: that instant, in minutes since 1970 UTC.
            inputs: with what each value can be recomputed from.
        """
        return self._detectors.scores(now, inputs=inputs)

    def _stretch(self, now: int) -> Stretch:
        base = self._baseline
        found = self._detectors.stretch(now, base.expected_between)
        return recent_stretch(self._recent, base, now) if found is None else found

    def _kind(self, now: int, stretch: Stretch) -> AlertKind:
        policy = self._policy
        if (
            self._authorship.top_author_share >= policy.brigade_author_share
            or self._authorship.duplicate_share >= policy.brigade_duplicate_share
        ):
            return AlertKind.BRIGADE
        if stretch.volume_ratio < policy.flip_below:
            return AlertKind.FLIP
        if now - stretch.start >= policy.slow_after.total_seconds() / 60:
            return AlertKind.SLOW_BURN
        return AlertKind.BACKLASH

    def _critical_stretch(self, now: int, hour: Hour) -> Stretch | None:
        """The first stretch up to `now` that is critical, of all that the detectors follow.

        The detector that is surest may follow a longer one, or one of full hours only. None also
        where the open alert is critical already.
        """
        alert = self.tracker.alert
        if alert is not None and alert.is_open and alert.severity is Severity.CRITICAL:
            return None
        expected = self._baseline.expected_between
        for stretch in self._detectors.stretches(now, hour, expected):
            if self._is_critical(stretch):
                return stretch
        return None

    def _is_critical(self, stretch: Stretch) -> bool:
        policy = self._policy
        normal = stretch.expected * self._baseline.share + 0.5
        return (
            stretch.k >= policy.critical_negative
            and stretch.share >= policy.critical_share
            and stretch.k / normal >= policy.critical_ratio
        )
