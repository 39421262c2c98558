"""The watch for floods of copies: many near-identical comments and no anger. It never pages.

Advertisements, entries to a prize draw that all say one sentence, friendly bots: somebody may want
to clean up, nobody needs to wake. Copies that are angry are a brigade and belong to the backlash:
what comes while the crowd is dark, or while a backlash is heard, is not weighed here.
"""

from typing import Any

from monitoring.alerts import AlertEvent
from monitoring.baseline import Baseline
from monitoring.copies_baseline import CopiesBaseline
from monitoring.detectors.share_shift import ShareShift
from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore
from monitoring.exponential_window import ExponentialWindow
from monitoring.monitors.alert_tracker import AlertTracker, Stretch, recent_stretch
from monitoring.policy import Policy
from monitoring.windows import WindowStats

KIND = "comment_flood"
DETECTOR = "copies_shift"
_DELTAS = (1.2, 2.0, 3.5)  # a share of copies jumps, and often from next to none
_THRESHOLD = 9.0  # nats
_VOLUME = 1.3  # comments of the last half hour over the usual
_SHARE = 0.2  # of the comments that are copies
_MINIMUM = 20.0  # copies
_DARK = 1.25  # times the usual negatives, and one more: above that the crowd is dark


class FloodMonitor:
    """Near-copies of one KOL: their share and the volume up together, the negative share not.

    Attributes:
        tracker: the alert and its recovery.
    """

    __slots__ = ("_baseline", "_copies", "_marred", "_n", "_recent", "_shift", "_usual", "tracker")

    def __init__(
        self, kol_id: str, policy: Policy, baseline: Baseline, recent: ExponentialWindow
    ) -> None:
        self._baseline = baseline
        self._recent = recent
        self._usual = CopiesBaseline()
        self._shift = ShareShift(self._usual.share, 0.0, self._usual.doubt, deltas=_DELTAS)
        self.tracker = AlertTracker(kol_id, "flood", policy, baseline)
        self._n = 0  # of this hour: comments of which it is known whether they are copies …
        self._copies = 0.0  # … and those that are
        self._marred = False  # this hour is no example of the usual

    def learn_one(self, minute: int, stats: WindowStats, alarmed: bool) -> list[AlertEvent]:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC.
            stats: its counts, at least one comment; one whose copies are not known says nothing.
            alarmed: a backlash is open, or heard in this very minute.
        """
        if stats.duplicate_share is None:
            return []
        n, copies = stats.comments, stats.duplicate_share * stats.comments
        self._n += n
        self._copies += copies
        if self.tracker.open:
            self._marred = True
            self.tracker.recovery.learn_one(n, copies)
        elif alarmed or self._dark():
            self._shift.reset()
            self._marred = self._marred or alarmed
            return []
        self._shift.learn_one(minute, n, copies)
        if not self.tracker.open and self._shift.score_one() < _THRESHOLD:
            return []
        return self._turn(minute + 1)

    def _dark(self) -> bool:
        """Whether more of the last half hour is negative than usual."""
        recent = self._recent
        return recent.negative > _DARK * self._baseline.share * recent.n + 1.0

    def close_hour(self, hour: int, observed_span: tuple[int, int]) -> list[AlertEvent]:
        """Take the end of an hour.

        Args:
            hour: hours since 1970 UTC.
            observed_span: minutes from and up to which nothing was missed.
        """
        end, copies = hour * 60 + 60, self._copies
        if self._n and not self._marred and not self.tracker.open:
            self._usual.learn_hour(hour, self._n, copies)
        self._n, self._copies, self._marred = 0, 0.0, False
        self._refresh()
        if not self._usual.known:
            self._shift.reset()
        if not self.tracker.open:
            self.tracker.expire(moment_of(end))
            return []
        usual = self._baseline.expected(hour) * self._usual.share
        self.tracker.recovery.learn_hour(end, copies, usual, observed_span)
        return self._turn(end, missed_input=observed_span[1] <= hour * 60)

    def _refresh(self) -> None:
        self._shift.expect(self._usual.share, 0.0, self._usual.doubt)

    def _turn(self, now: int, missed_input: bool = False) -> list[AlertEvent]:
        stretch = self._stretch(now)
        recent = recent_stretch(self._recent, self._baseline, now)
        said = self._judge(stretch, recent.volume_ratio)
        was_open = self.tracker.open
        if not self.tracker.wants_evidence(said.value / _THRESHOLD, now):
            return []
        rate = stretch.k / max(now - stretch.start, 1)
        usual = self._usual.share
        events = self.tracker.turn(now, KIND, "info", rate, stretch, (said,), recent, usual)
        if was_open and not self.tracker.open:
            if not self.tracker.recovery.complete and not missed_input:
                self._usual.rebase(self.tracker.recovery.share)
                self._refresh()
            self._shift.reset()
        return events

    def _stretch(self, now: int) -> Stretch:
        shift = self._shift
        if shift.start is None:
            return Stretch(now - 1, now, 0, 0.0, 0.0)
        expected = self._baseline.expected_between(shift.start, now)
        return Stretch(shift.start, now, shift.n, shift.k, expected)

    def _judge(self, stretch: Stretch, volume: float) -> DetectorScore:
        loud = (
            self._usual.known
            and self._baseline.known
            and volume >= _VOLUME
            and stretch.k >= _MINIMUM
            and stretch.share >= _SHARE
        )
        value = self._shift.score_one() if loud else 0.0
        inputs = self._shift.inputs() if loud else {}
        span = float(stretch.end - stretch.start)
        return DetectorScore(DETECTOR, span, value, _THRESHOLD, inputs)

    def state(self) -> dict[str, Any]:
        """Everything it knows, as JSON-able values."""
        return {
            "shift": self._shift.state(),
            "usual": self._usual.state(),
            "tracker": self.tracker.state(),
            "hour": [self._n, self._copies, self._marred],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Become what `state` returned."""
        self._shift.load(state["shift"])
        self._usual.load(state["usual"])
        self.tracker.load(state["tracker"])
        self._n, self._copies, self._marred = state["hour"]
        self._refresh()
