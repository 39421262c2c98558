"""The monitor of attention: far more comments than normal for hours, whatever their mood.

It informs once and never pages. It changes nothing for the other families: it only reads the
baseline and what the other monitors have open, and nothing reads it. Attention is no reason to
doubt what is normal of the mood, so the hours of a surge are learnt as the volume of any hour is.
One incident is one message: where a backlash, praise or a flood explains the volume, it is silent.
"""

from dataclasses import replace
from datetime import timedelta

import msgspec

from monitoring.alerts import AlertEvent
from monitoring.baseline import Baseline
from monitoring.detectors.base import Normal
from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore
from monitoring.kinds import AlertFamily, AlertKind, Severity
from monitoring.monitors.alert_tracker import AlertTracker, TrackerState
from monitoring.monitors.detector_set import DetectorSet, DetectorStates
from monitoring.policy import Policy
from monitoring.stretch import Stretch

_DAY = 24  # hours judged …
_LATE = 6  # … and the last of them without the loudest: one loud hour does not last
_TIMES = 3.0  # comments over the normal, of both
_MINIMUM = 20  # comments of the day
_BACK = 2.0  # times the comments that were normal before it: attention below is over …
_SETTLED = 1.25  # … and so is that below so many times what is normal by now: a new level
_APART = 24 * 60  # minutes after another incident in which its volume is its own
# The baseline learns the volume of a surge within two weeks. Until then it is one incident.
_LONGEST = timedelta(days=14)


class AttentionState(msgspec.Struct, array_like=True):
    """What the monitor of attention has seen.

    Attributes:
        tracker: the alert and its recovery.
        detectors: what each of them knows, by name; None starts them afresh.
        hours: comments of the last 24 closed hours, and the negatives among them, oldest first.
        n: comments of the open hour …
        k: … and the negatives among them.
        quiet_until: minute up to which another incident explains the volume.
        normal: comments of a normal day, as they were when the open alert was opened.
    """

    tracker: TrackerState = msgspec.field(default_factory=TrackerState)
    detectors: DetectorStates | None = None
    hours: list[tuple[int, float]] = msgspec.field(default_factory=list)
    n: int = 0
    k: float = 0.0
    quiet_until: int = 0
    normal: float = 0.0


class AttentionMonitor:
    """Comments of one KOL, of any mood: several times the normal volume, for hours.

    It decides at the end of an hour, when it is known which other incidents began in it.

    Attributes:
        tracker: the alert and its recovery.
        state: what it has seen.
    """

    __slots__ = ("_baseline", "_detectors", "state", "tracker")

    def __init__(
        self, kol_id: str, policy: Policy, baseline: Baseline, state: AttentionState | None = None
    ) -> None:
        self.state = state = AttentionState() if state is None else state
        self._baseline = baseline
        self._detectors = DetectorSet(AlertFamily.ATTENTION, state.detectors)
        state.detectors = self._detectors.states
        self.tracker = AlertTracker(kol_id, AlertFamily.ATTENTION, policy, baseline, state.tracker)
        self.set_policy(policy)

    def set_policy(self, policy: Policy) -> None:
        """Decide by `policy` from here on."""
        self.tracker.set_policy(replace(policy, longest=max(policy.longest, _LONGEST)))
        # Only the volume counts, of which a detector learns what is normal.
        normal = Normal(self._baseline.share, 0.0, self._baseline.doubt)
        self._detectors.expect(normal, policy.sensitivity)

    def learn_one(self, minute: int, n: int, negative: float) -> None:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC.
            n: comments, at least one.
            negative: sum of P(negative).
        """
        self.state.n += n
        self.state.k += negative
        self._detectors.learn_one(minute, n, negative, 0.0)

    def close_hour(self, hour: int, explained: bool) -> list[AlertEvent]:
        """Take the end of an hour.

        Args:
            hour: hours since 1970 UTC.
            explained: an alert of what the crowd says was open in it.
        """
        state, end = self.state, hour * 60 + 60
        score = self._detectors.learn_one(end - 1, 0, 0.0, 0.0)  # the hour may have been silent
        state.hours.append((state.n, state.k))
        del state.hours[:-_DAY]
        state.n, state.k = 0, 0.0
        if explained:
            state.quiet_until = end + _APART
        day = self._last(_DAY, end)
        if self.tracker.open:
            if day.n < max(_BACK * state.normal, _SETTLED * day.expected):
                self.tracker.recovery.conclude()
        else:
            self.tracker.expire(moment_of(end))
            if score < 1.0:
                return []
        return self._turn(end, day)

    def _turn(self, now: int, day: Stretch) -> list[AlertEvent]:
        scores = self._judge(now, day)
        was_open = self.tracker.open
        if not self.tracker.wants_evidence(max(one.ratio for one in scores), now):
            return []
        found = self._detectors.stretch(now, self._baseline.expected_between)
        stretch = day if found is None else found
        rate, normal = day.n / (_DAY * 60), self._baseline.share
        kind = AlertKind.ATTENTION_SURGE
        events = self.tracker.turn(now, kind, Severity.INFO, rate, stretch, scores, day, normal)
        if was_open and not self.tracker.open:
            self._detectors.reset()
        elif self.tracker.open and not was_open:
            self.state.normal = day.expected
        return events

    def _judge(self, now: int, day: Stretch) -> tuple[DetectorScore, ...]:
        """The value of each detector; nothing where attention is small, short or explained."""
        late = self._last(_LATE, now)
        loudest = max((n for n, _ in self.state.hours[-_LATE:]), default=0)
        lasting = replace(late, n=late.n - loudest)
        loud = (
            self._baseline.known
            and now > self.state.quiet_until
            and day.n >= _MINIMUM
            and min(day.volume_ratio, lasting.volume_ratio) >= _TIMES
        )
        scores = self._detectors.scores(now, inputs=loud, shortest=1.0)
        return scores if loud else tuple(replace(one, value=0.0) for one in scores)

    def _last(self, hours: int, end: int) -> Stretch:
        """The last closed hours up to minute `end`; `k` counts negatives."""
        start, taken = end - hours * 60, self.state.hours[-hours:]
        expected = self._baseline.expected_between(start, end)
        return Stretch(start, end, sum(n for n, _ in taken), sum(k for _, k in taken), expected)
