"""The monitor of floods of copies: many near-identical comments and no anger. It never pages.

Advertisements, entries to a prize draw that all say one sentence, friendly bots: somebody may want
to clean up, but nobody needs to be woken. Copies that are angry are a brigade and belong to the
backlash: what comes while much is negative, or while a backlash is detected, does not count here.
"""

from dataclasses import replace

import msgspec

from monitoring.alerts import AlertEvent
from monitoring.baseline import Baseline
from monitoring.copies_baseline import CopiesBaseline
from monitoring.detectors.base import Normal
from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore
from monitoring.exponential_window import ExponentialWindow
from monitoring.kinds import AlertFamily, AlertKind, Severity
from monitoring.monitors.alert_tracker import AlertTracker, TrackerState
from monitoring.monitors.detector_set import DetectorSet, DetectorStates
from monitoring.policy import Policy
from monitoring.stretch import Stretch, recent_stretch
from monitoring.windows import WindowStats

_VOLUME = 1.3  # comments of the last half hour over the normal
_SHARE = 0.2  # of the comments that are copies
_MINIMUM = 20.0  # copies
_NEGATIVE = 1.25  # times the normal negatives, and one more: above that much is negative


class FloodState(msgspec.Struct, array_like=True):
    """What the monitor of floods has seen.

    Attributes:
        tracker: the alert and its recovery.
        copies_baseline: the normal share of copies.
        detectors: what each of them knows, by name; None starts them afresh.
        n: comments of this hour of which it is known whether they are copies …
        copies: … and those that are.
        tainted: this hour is no example of what is normal.
    """

    tracker: TrackerState = msgspec.field(default_factory=TrackerState)
    copies_baseline: CopiesBaseline = msgspec.field(default_factory=CopiesBaseline)
    detectors: DetectorStates | None = None
    n: int = 0
    copies: float = 0.0
    tainted: bool = False


class FloodMonitor:
    """Near-copies of one KOL: their share and the volume up together, the negative share not.

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
        state: FloodState | None = None,
    ) -> None:
        self.state = state = FloodState() if state is None else state
        self._baseline = baseline
        self._recent = recent
        self._policy = policy
        self._detectors = DetectorSet(AlertFamily.FLOOD, state.detectors)
        state.detectors = self._detectors.states
        self.tracker = AlertTracker(kol_id, AlertFamily.FLOOD, policy, baseline, state.tracker)
        self._refresh()

    def set_policy(self, policy: Policy) -> None:
        """Decide by `policy` from here on."""
        self._policy = policy
        self.tracker.set_policy(policy)
        self._refresh()

    def learn_one(self, minute: int, stats: WindowStats, alarmed: bool) -> list[AlertEvent]:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC.
            stats: its counts, at least one comment; one whose copies are not known says nothing.
            alarmed: a backlash is open, or detected in this very minute.
        """
        state = self.state
        if stats.duplicate_share is None:
            return []
        n, copies = stats.comments, stats.duplicate_share * stats.comments
        state.n += n
        state.copies += copies
        if self.tracker.open:
            state.tainted = True
            self.tracker.recovery.learn_one(n, copies)
        elif alarmed or self._much_negative():
            self._detectors.reset()
            state.tainted = state.tainted or alarmed
            return []
        score = self._detectors.learn_one(minute, n, copies, 0.0)
        if not self.tracker.open and score < 1.0:
            return []
        return self._turn(minute + 1)

    def _much_negative(self) -> bool:
        """Whether more of the last half hour is negative than normal."""
        recent = self._recent
        return recent.negative > _NEGATIVE * self._baseline.share * recent.n + 1.0

    def close_hour(self, hour: int, observed_span: tuple[int, int]) -> list[AlertEvent]:
        """Take the end of an hour.

        Args:
            hour: hours since 1970 UTC.
            observed_span: minutes from and up to which nothing was missed.
        """
        state = self.state
        end, copies = hour * 60 + 60, state.copies
        if state.n and not state.tainted and not self.tracker.open:
            state.copies_baseline.learn_hour(hour, state.n, copies)
            self._refresh()
        state.n, state.copies, state.tainted = 0, 0.0, False
        if not state.copies_baseline.known:
            self._detectors.reset()
        if not self.tracker.open:
            self.tracker.expire(moment_of(end))
            return []
        normal = self._baseline.expected(hour) * state.copies_baseline.share
        self.tracker.recovery.learn_hour(end, copies, normal, observed_span)
        return self._turn(end, missed_input=observed_span[1] <= hour * 60)

    def _refresh(self) -> None:
        copies = self.state.copies_baseline
        normal = Normal(copies.share, 0.0, copies.doubt)
        self._detectors.expect(normal, self._policy.sensitivity)

    def _turn(self, now: int, missed_input: bool = False) -> list[AlertEvent]:
        state = self.state
        stretch = self._stretch(now)
        recent = recent_stretch(self._recent, self._baseline, now)
        scores = self._judge(now, stretch, recent.volume_ratio)
        was_open = self.tracker.open
        if not self.tracker.wants_evidence(max(one.ratio for one in scores), now):
            return []
        rate = stretch.k / max(now - stretch.start, 1)
        normal = state.copies_baseline.share
        events = self.tracker.turn(
            now, AlertKind.COMMENT_FLOOD, Severity.INFO, rate, stretch, scores, recent, normal
        )
        if was_open and not self.tracker.open:
            if not self.tracker.recovery.complete and not missed_input:
                state.copies_baseline.rebase(self.tracker.recovery.share)
                self._refresh()
            self._detectors.reset()
        return events

    def _stretch(self, now: int) -> Stretch:
        found = self._detectors.stretch(now, self._baseline.expected_between)
        return Stretch(now - 1, now, 0, 0.0, 0.0) if found is None else found

    def _judge(self, now: int, stretch: Stretch, volume: float) -> tuple[DetectorScore, ...]:
        """What each detector says; nothing where the volume is not up too."""
        loud = (
            self.state.copies_baseline.known
            and self._baseline.known
            and volume >= _VOLUME
            and stretch.k >= _MINIMUM
            and stretch.share >= _SHARE
        )
        scores = self._detectors.scores(now, inputs=loud, shortest=1.0)
        return scores if loud else tuple(replace(one, value=0.0) for one in scores)
