"""One family of alerts of one KOL: from detector scores to the alert's next state."""

from dataclasses import replace
from datetime import datetime

import msgspec

from monitoring import alerts
from monitoring.alerts import Alert, AlertEvent
from monitoring.baseline import Baseline
from monitoring.event_time import moment_of
from monitoring.evidence import DetectorScore, Evidence
from monitoring.kinds import AlertFamily, AlertKind, Reason, Severity
from monitoring.monitors.recovery import Recovery
from monitoring.policy import Policy
from monitoring.signals import Signal
from monitoring.stretch import Stretch
from monitoring.summary import summarise, summarise_attention_end, summarise_end

_TRUSTED = 2.0  # times the known history
_LEAST_TRUST = 12.0  # hours


class TrackerState(msgspec.Struct, array_like=True):
    """What is kept of one family of alerts.

    Attributes:
        alert: the last alert, open or within reach of a second wave; None otherwise.
        recovery: evidence that the open incident is over.
    """

    alert: Alert | None = None
    recovery: Recovery = msgspec.field(default_factory=Recovery)


class AlertTracker:
    """Keeps the alert of one family and says when its incident is over.

    Attributes:
        state: the alert and its recovery.
    """

    __slots__ = ("_baseline", "_family", "_kol_id", "_policy", "state")

    def __init__(
        self,
        kol_id: str,
        family: AlertFamily,
        policy: Policy,
        baseline: Baseline,
        state: TrackerState | None = None,
    ) -> None:
        self._kol_id = kol_id
        self._family = family
        self._policy = policy
        self._baseline = baseline
        self.state = TrackerState() if state is None else state

    @property
    def alert(self) -> Alert | None:
        """The last alert, open or within reach of a second wave; None otherwise."""
        return self.state.alert

    @property
    def recovery(self) -> Recovery:
        """Evidence that the open incident is over."""
        return self.state.recovery

    def set_policy(self, policy: Policy) -> None:
        """Decide by `policy` from here on."""
        self._policy = policy

    @property
    def open(self) -> bool:
        """Whether an alert is open."""
        alert = self.state.alert
        return alert is not None and alert.is_open

    @property
    def _severity(self) -> Severity:
        return Severity.INFO if self.alert is None else self.alert.severity

    def outlasted(self, now: int) -> bool:
        """Whether the open incident lasts longer than twice what was known before it.

        Then the little that was known was wrong, and the incident is learnt as normal.
        """
        if self.alert is None or not self.alert.is_open:
            return False
        hours = (moment_of(now) - self.alert.opened_at).total_seconds() / 3600
        return hours > max(_TRUSTED * self._baseline.hours, _LEAST_TRUST)

    def overdue(self, now: int) -> bool:
        """Whether the open incident is too long to be one."""
        if self.alert is None or not self.alert.is_open:
            return False
        age = moment_of(now) - self.alert.opened_at
        return age >= self._policy.longest or self.outlasted(now)

    def ending(self, now: int) -> bool:
        """Whether the open incident is over, or too long to be one."""
        return self.open and (self.recovery.complete or self.overdue(now))

    def wants_evidence(self, score: float, now: int) -> bool:
        """Whether the next `turn` could report something, so that evidence must be computed."""
        return score >= 1.0 or self.ending(now)

    def turn(
        self,
        now: int,
        kind: AlertKind,
        severity: Severity,
        rate: float,
        stretch: Stretch,
        scores: tuple[DetectorScore, ...],
        recent: Stretch,
        normal: float,
        severest: Stretch | None = None,
    ) -> list[AlertEvent]:
        """Decide what happens at minute `now`.

        Args:
            now: end of the last minute taken, in minutes since 1970 UTC.
            kind: what a new alert would be called.
            severity: what the figures call for.
            rate: recent comments that matter, per minute.
            stretch: the minutes the decision rests on; `k` counts what matters to this family.
            scores: the value of each detector.
            recent: the last half hour, of attention the last day; `k` counts negatives. Shown at
                an end and by all that only informs.
            normal: the normal share of the comments that matter, in (0, 1).
            severest: the minutes that call for the severity, if not `stretch`; shown in its place.
        """
        score = max(part.ratio for part in scores)
        informs = self._family is not AlertFamily.BACKLASH
        rises = score >= 1.0 and severity.rank > self._severity.rank
        over = self.ending(now) and not rises  # a rise is reported before an end
        shown = recent if informs or over else severest or stretch
        evidence = self._evidence(kind, stretch.start, shown, scores)
        signal = Signal(
            kol_id=self._kol_id,
            family=self._family,
            kind=kind,
            severity=severity,
            score=score,
            rate=rate,
            recovered=self.recovery.complete or self.outlasted(now),
            evidence=evidence,
        )
        was_open = self.open
        self.state.alert, events = alerts.advance(self.alert, signal, moment_of(now), self._policy)
        if self.open and not was_open:
            self.state.recovery = Recovery()
            self.recovery.begin(stretch.start, stretch.n, stretch.k, normal)
        return [self._with_end(event) for event in events]

    def _with_end(self, event: AlertEvent) -> AlertEvent:
        """The event with a sentence on the end where it is one."""
        if event.reason is not Reason.RESOLVED:
            return event
        attention = self._family is AlertFamily.ATTENTION
        summarise_over = summarise_attention_end if attention else summarise_end
        summary = summarise_over(self._kol_id, event.at, event.evidence)
        return replace(event, evidence=replace(event.evidence, summary=summary))

    def expire(self, now: datetime) -> None:
        """Drop a resolved alert that a second wave can no longer reopen."""
        alert = self.alert
        if alert is None or alert.resolved_at is None:
            return
        if now - alert.resolved_at > self._policy.reopen_within:
            self.state.alert = None

    def _evidence(
        self, kind: AlertKind, start: int, stretch: Stretch, scores: tuple[DetectorScore, ...]
    ) -> Evidence:
        ongoing = self.alert if self.open else None
        plain = Evidence(
            window_start=moment_of(stretch.start),
            window_end=moment_of(stretch.end),
            incident_start=moment_of(start) if ongoing is None else ongoing.incident_start,
            comments=stretch.n,
            negative=stretch.k,
            expected_comments=stretch.expected,
            expected_negative_share=self._baseline.share,
            volume_ratio=stretch.volume_ratio,
            scores=scores,
        )
        return replace(plain, summary=summarise(kind, self._kol_id, plain))
