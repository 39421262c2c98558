"""The watch for backlash: which detectors, which thresholds, what to call it, how bad it is."""

import math

import msgspec

from monitoring.alerts import AlertEvent
from monitoring.authorship import Authorship
from monitoring.baseline import Baseline
from monitoring.detectors.hour_scan import HourScan, HourScanState
from monitoring.detectors.share_shift import ShareShift, ShareShiftState
from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore
from monitoring.exponential_window import FADE_MINUTES, ExponentialWindow
from monitoring.hours import Hour
from monitoring.monitors.alert_tracker import AlertTracker, Stretch, TrackerState, recent_stretch
from monitoring.policy import Policy

_MINUTES_PER_MONTH = 43_200.0
_HOURS_PER_MONTH = 720.0
# Threshold in nats = log(chances a month) - steepness * log(sensitivity) + offset. The steepness is
# how slowly false pages fall with the threshold; all three are measured by benchmarks/crisis on
# its calibration seeds.
_STEEPNESS = 1.15
_MINUTE_OFFSET = -1.03
_HOUR_OFFSET = -0.73
_LOWEST_THRESHOLD = 3.0


class BacklashState(msgspec.Struct, array_like=True):
    """What the monitor of backlash has seen.

    Attributes:
        tracker: the alert and its recovery.
        shift: of the minutes; None before a first one is seen.
        scan: of the hours.
        score: largest detector value over its threshold.
    """

    tracker: TrackerState = msgspec.field(default_factory=TrackerState)
    shift: ShareShiftState | None = None
    scan: HourScanState = msgspec.field(default_factory=HourScanState)
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
        "_hour_threshold",
        "_known",
        "_minute_threshold",
        "_policy",
        "_recent",
        "_scan",
        "_shift",
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
        self._shift = ShareShift(baseline.share, baseline.rho[0], baseline.doubt, state=state.shift)
        state.shift = self._shift.state
        self._scan = HourScan(state.scan)
        self.tracker = AlertTracker(kol_id, "backlash", policy, baseline, state.tracker)
        self.refresh()

    def set_policy(self, policy: Policy) -> None:
        """Decide by `policy` from here on."""
        self._policy = policy
        self.tracker.set_policy(policy)
        self.refresh()

    def refresh(self) -> None:
        """Take over what the baseline has learnt."""
        base = self._baseline
        self._shift.expect(base.share, base.rho[0], base.doubt, base.phi)
        chances = max(base.active * _MINUTES_PER_MONTH, 30.0)
        self._minute_threshold = self._threshold(chances, _MINUTE_OFFSET)
        self._hour_threshold = self._threshold(_HOURS_PER_MONTH, _HOUR_OFFSET)
        self._known = base.known

    def _threshold(self, chances: float, offset: float) -> float:
        wanted = _STEEPNESS * math.log(self._policy.sensitivity)
        return max(math.log(chances) - wanted + offset, _LOWEST_THRESHOLD)

    @property
    def shown_score(self) -> float:
        """The backlash score with that of the last full hour in it."""
        return max(self.state.score, self._known * self._scan.score_one() / self._hour_threshold)

    @property
    def judged(self) -> bool:
        """Whether enough has been learnt for a detector over its threshold to raise an alert."""
        return self._known

    @property
    def alarmed(self) -> bool:
        """Whether what comes in now is no example of the usual."""
        return self.state.score >= 1.0 or self.tracker.open

    def learn_one(self, minute: int, n: int, k: float, excess: float) -> list[AlertEvent]:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC.
            n: comments, at least one.
            k: sum of P(negative).
            excess: comments beyond the usual volume.
        """
        shift = self._shift
        shift.learn_one(minute, n, k, excess)
        score = self.state.score = shift.score_one() / self._minute_threshold * self._known
        if self.tracker.state.alert is None:
            if score < 1.0:
                return []
        elif self.tracker.open:
            self.tracker.recovery.learn_one(n, k)
        if not self.tracker.wants_evidence(score, minute + 1):
            return []
        return self._turn(minute + 1)

    def close_hour(self, hour: Hour, observed_span: tuple[int, int]) -> list[AlertEvent]:
        """Take the end of an hour.

        Args:
            hour: its sums.
            observed_span: minutes from and up to which nothing was missed.
        """
        base = self._baseline
        expected = base.expected(hour.number)
        if self._known:
            self._scan.learn_hour(hour, expected, base, not self.alarmed)
        else:  # what was set against a guess is no evidence once the usual is known
            self._shift.reset()
            self._scan.reset()
        end = hour.number * 60 + 60
        if self.tracker.open:
            self.tracker.recovery.learn_hour(
                end, hour.negative, expected * base.share, observed_span
            )
        else:
            self.tracker.expire(moment_of(end))
        self.state.score = self._known * max(
            self._shift.score_one() / self._minute_threshold,
            self._scan.score_one() / self._hour_threshold,
        )
        if not self.tracker.wants_evidence(self.state.score, end):
            return []
        return self._turn(end, missed_input=observed_span[1] <= hour.number * 60)

    def _turn(self, now: int, missed_input: bool = False) -> list[AlertEvent]:
        stretch = self._stretch(now)
        if stretch.k < self._policy.minimum_negative and not self.tracker.open:
            return []
        was_open = self.tracker.open
        rate = self._recent.negative * self._recent.fade(now) / FADE_MINUTES
        events = self.tracker.turn(
            now,
            self._kind(now, stretch),
            self._severity(stretch),
            rate,
            stretch,
            self.scores(now, told=True),
            recent_stretch(self._recent, self._baseline, now),
            self._baseline.share,
        )
        if was_open and not self.tracker.open:
            if not self.tracker.recovery.complete and not missed_input:
                self._baseline.rebase(self.tracker.recovery.share)
            self._shift.reset()
            self._scan.reset()
            self.state.score = 0.0
        return events

    def scores(self, now: int, told: bool = False) -> tuple[DetectorScore, ...]:
        """What each detector says at the end of the last minute taken.

        Args:
            now: that instant, in minutes since 1970 UTC.
            told: with what each value can be recomputed from.
        """
        shift, scan = self._shift, self._scan
        since = now if shift.state.start is None else shift.state.start
        return (
            DetectorScore(
                shift.name,
                float(now - since),
                shift.score_one(),
                self._minute_threshold,
                shift.inputs() if told else {},
            ),
            DetectorScore(
                scan.name,
                scan.state.scale * 60.0,
                scan.score_one(),
                self._hour_threshold,
                scan.inputs() if told else {},
            ),
        )

    def _stretch(self, now: int) -> Stretch:
        base, scan, shift = self._baseline, self._scan, self._shift
        by_hour = scan.score_one() / self._hour_threshold
        if scan.state.scale and by_hour > shift.score_one() / self._minute_threshold:
            n, k, expected = scan.totals()
            end = now // 60 * 60
            return Stretch(end - scan.state.scale * 60, end, n, k, expected)
        if shift.state.start is not None:
            expected = base.expected_between(shift.state.start, now)
            return Stretch(shift.state.start, now, shift.state.n, shift.state.k, expected)
        return recent_stretch(self._recent, base, now)

    def _kind(self, now: int, stretch: Stretch) -> str:
        policy = self._policy
        if (
            self._authorship.top_author_share >= policy.brigade_author_share
            or self._authorship.duplicate_share >= policy.brigade_duplicate_share
        ):
            return "brigade"
        if stretch.volume_ratio < policy.flip_below:
            return "flip"
        if now - stretch.start >= policy.slow_after.total_seconds() / 60:
            return "slow_burn"
        return "backlash"

    def _severity(self, stretch: Stretch) -> str:
        policy = self._policy
        usual = stretch.expected * self._baseline.share + 0.5
        critical = (
            stretch.k / usual >= policy.critical_ratio
            and stretch.share >= policy.critical_share
            and stretch.k >= policy.critical_negative
        )
        return "critical" if critical else "warning"
