"""The engine: every KOL's pipeline behind one interface.

comment → WindowCounter → WindowStats → KolPipeline → AlertEvent
                              └ baseline, detectors, monitors, alerts
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitoring.alerts import Alert, AlertEvent
from monitoring.checkpoints import Checkpoint, checkpoint_before
from monitoring.counting import WindowCounter
from monitoring.errors import PolicyError
from monitoring.event_time import minute_of, moment_of
from monitoring.events import ScoredComment
from monitoring.kol_pipeline import KolPipeline
from monitoring.minute_score import MinuteScore
from monitoring.monitors import gap
from monitoring.near_duplicates import Signature
from monitoring.policy import Policy
from monitoring.snapshot import SnapshotState, decode, encode
from monitoring.windows import WindowStats

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Observation:
    """The results of one call.

    Attributes:
        events: alert events, in order.
        late: the comment came after its minute was closed: not used, its KOL must be judged again.
        duplicate: the comment's id was already counted in its open minute; not used again.
        closed: windows that were closed, in time order.
        minute_scores: the scores of each, at the end of its minute.
        checkpoints: states before some of them, for re-runs.
    """

    events: list[AlertEvent] = field(default_factory=list)
    late: bool = False
    duplicate: bool = False
    closed: list[WindowStats] = field(default_factory=list)
    minute_scores: list[MinuteScore] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KolStatus:
    """The state of one KOL.

    Attributes:
        kol_id: whose stream.
        watermark: minutes before this instant are closed; None before the first window.
        score: backlash score: the largest detector value over its threshold; 1 pages.
        negative_share: of the last half hour, shrunk to the baseline by four comments; in [0, 1].
        mood: of the last half hour, mean P(positive) - P(negative), shrunk likewise; in [-1, 1].
        expected_negative_share: normal negative share, in [0, 1].
        comments_per_hour: of the last half hour.
        expected_comments_per_hour: normal at this hour.
        alert_id: the open backlash alert; None if there is none.
        severity: its severity; None if there is none.
        late: comments that came too late, since the KOL was first seen.
        duplicates: comments that repeated one of an open minute.
        learning: too little has been seen to know what is normal.
    """

    kol_id: str
    watermark: datetime | None
    score: float
    negative_share: float
    mood: float
    expected_negative_share: float
    comments_per_hour: float
    expected_comments_per_hour: float
    alert_id: str | None
    severity: str | None
    late: int
    duplicates: int
    learning: bool


class Engine:
    """Watches any number of KOLs, each on its own.

    Feed either windows (`observe_window`) or comments (`observe`) of a KOL, not both: the first
    is for streams counted elsewhere.

    Args:
        policy: for every KOL.
        overrides: policies for single KOLs.
    """

    def __init__(
        self, policy: Policy | None = None, overrides: dict[str, Policy] | None = None
    ) -> None:
        self._policy = policy if policy is not None else Policy()
        self._overrides = dict(overrides or {})
        self._monitors: dict[str, KolPipeline] = {}
        self._counters: dict[str, WindowCounter] = {}

    def policy(self, kol_id: str) -> Policy:
        """The policy of a KOL, also of one that was not seen yet."""
        return self._overrides.get(kol_id, self._policy)

    def set_policy(self, kol_id: str, policy: Policy) -> None:
        """Judge a KOL by `policy` from its next closed minute on.

        What was learnt stays, and so does an alert that is open. A snapshot does not hold the
        policy: set it before `restore`, and the KOL goes on as if it had not been interrupted.

        Raises:
            PolicyError: its lateness is another than that by which the KOL's minutes close.
        """
        monitor = self._monitors.get(kol_id)
        if monitor is not None:
            lateness = self.policy(kol_id).lateness
            if policy.lateness != lateness:
                raise PolicyError(f"lateness of a KOL that was seen stays at {lateness}")
            monitor.set_policy(policy)
        self._overrides[kol_id] = policy

    def observe_window(self, stats: WindowStats) -> list[AlertEvent]:
        """Take one minute of one KOL; empty minutes may be left out.

        Raises:
            OutOfOrderError: it does not start after the last one of its KOL.
        """
        monitor = self._monitors.get(stats.kol_id)
        if monitor is None:
            monitor = self._admit(stats.kol_id)
        return monitor.step(stats)

    def observe(self, scored: ScoredComment, received_at: datetime | None = None) -> Observation:
        """Take one scored comment; close the minutes that its time lets close.

        Args:
            scored: the comment; it counts in the minute in which it says it was written.
            received_at: when it was received (aware): a sender's clock that is fast closes no
                minute before its time. None trusts the comment's own time.
        """
        kol_id = scored.comment.kol_id
        counter = self._counters.get(kol_id)
        if counter is None:
            self._admit(kol_id)
            counter = self._counters[kol_id]
        late, duplicate = counter.add(scored, received_at)
        closed = counter.close()
        observation = self._step(kol_id, closed)
        return replace(observation, late=late, duplicate=duplicate)

    def amend(self, scored: ScoredComment) -> bool:
        """Take the new text and scores of a comment that was observed.

        Returns:
            Whether its minute is still open; if not, its KOL must be judged again, see `Rerun`.
        """
        counter = self._counters.get(scored.comment.kol_id)
        return counter is not None and counter.amend(scored)

    def adopt(self, pipeline: KolPipeline, texts: list[Signature] | None) -> None:
        """Go on with what a re-run of the closed minutes came to.

        Args:
            pipeline: the KOL's, up to the last closed minute.
            texts: what is remembered for near-duplicates after that; None if it has not changed.
        """
        counter = self._counters[pipeline.kol_id]
        self._monitors[pipeline.kol_id] = pipeline
        if pipeline.reached is not None:
            counter.pass_to(pipeline.reached)
        if texts is not None:
            counter.remember(texts)

    def reach(self, kol_id: str, to: datetime) -> bool:
        """Have the event time of a KOL come at least to that of a comment which was not observed.

        Minutes that this closes are dropped: they are to be counted again, see `Rerun`.

        Returns:
            Whether event time had not come so far; so of a KOL that was never seen.
        """
        counter = self._counters.get(kol_id)
        if counter is None:
            self._admit(kol_id)
            counter = self._counters[kol_id]
        if counter.state.latest is not None and counter.state.latest >= to.timestamp():
            return False
        counter.reach(to.timestamp())
        counter.close()
        return True

    def reopen(self, kol_id: str, comments: Iterable[ScoredComment]) -> None:
        """Make these the comments of the open minutes of a KOL."""
        self._counters[kol_id].reopen(comments)

    def closed_until(self, kol_id: str) -> int:
        """Minutes of a KOL before this one are closed (since 1970 UTC); 0 if none is."""
        counter = self._counters.get(kol_id)
        return 0 if counter is None else counter.state.closed_until

    def advance(self, kol_id: str, to: datetime) -> Observation:
        """Event time of a KOL has reached `to` without further comments.

        Closes the minutes that end by `to` less the lateness and lets silence count. A KOL never
        seen stays unknown.
        """
        counter = self._counters.get(kol_id)
        if counter is None:
            return Observation()
        counter.reach(to.timestamp())
        closed = counter.close()
        observation = self._step(kol_id, closed)
        if counter.watermark is not None:
            observation.events.extend(self._monitors[kol_id].pass_time(counter.watermark))
        return observation

    def silence(self, kol_id: str, until: datetime) -> Observation:
        """The clock has reached `until`, and no further comment on a KOL came.

        Closes the minutes with comments that end by `until` less the lateness. The silence after
        them passes only as far as it says something, see `KolPipeline.be_silent`: it may be a
        `data_gap`, or end an alert on the crowd. All other minutes stay open for comments that are
        held back. One call says the same as many: what follows depends on the last `until` alone.
        """
        counter = self._counters.get(kol_id)
        if counter is None:
            return Observation()
        monitor, mark = self._monitors[kol_id], minute_of(until - self.policy(kol_id).lateness)
        observation = self._step(kol_id, counter.settle(mark))
        observation.events.extend(monitor.be_silent(mark))
        if monitor.reached is not None:
            counter.pass_to(monitor.reached)
        return observation

    def gap_due(self, kol_id: str) -> datetime | None:
        """When `silence` will report a data gap if no comment comes, rounded up to a minute.

        None if one is open, if minutes are open, if two days of silence would say too little about
        this KOL, or if the KOL was never seen.
        """
        counter = self._counters.get(kol_id)
        if counter is None or counter.state.open:
            return None
        due = self._monitors[kol_id].gap_due()
        return None if due is None else moment_of(due - -self.policy(kol_id).lateness // _MINUTE)

    def open_minute(self, kol_id: str) -> datetime | None:
        """The start of the first minute of a KOL that holds comments and is open; None if none."""
        counter = self._counters.get(kol_id)
        if counter is None or not counter.state.open:
            return None
        return moment_of(min(counter.state.open))

    def _step(self, kol_id: str, closed: list[WindowStats]) -> Observation:
        monitor, observation = self._monitors[kol_id], Observation(closed=closed)
        for window in closed:
            if (checkpoint := checkpoint_before(monitor, window.start)) is not None:
                observation.checkpoints.append(checkpoint)
            observation.events.extend(monitor.step(window))
            observation.minute_scores.append(monitor.minute_score(window))
        return observation

    def kols(self) -> list[str]:
        """The KOLs seen so far, in order of appearance."""
        return list(self._monitors)

    def alerts(self) -> list[Alert]:
        """The open alerts of every KOL."""
        return [alert for monitor in self._monitors.values() for alert in monitor.open_alerts()]

    def has_crowd_alert(self, kol_id: str) -> bool:
        """Whether an alert of a KOL is open that is about comments, not about their absence."""
        monitor = self._monitors.get(kol_id)
        return monitor is not None and any(one.kind != gap.KIND for one in monitor.open_alerts())

    def alert(self, kol_id: str) -> Alert | None:
        """The open backlash alert of a KOL; None if there is none or the KOL is unknown."""
        monitor = self._monitors.get(kol_id)
        if monitor is None or not monitor.backlash.tracker.open:
            return None
        return monitor.backlash.tracker.alert

    def status(self, kol_id: str) -> KolStatus:
        """The state of a KOL.

        Raises:
            KeyError: the KOL was never seen.
        """
        monitor, counter = self._monitors[kol_id], self._counters[kol_id]
        mark = counter.watermark
        if mark is None and monitor.state.minute is not None:
            mark = monitor.state.minute + 1
        base, recent = monitor.baseline, monitor.recent
        fade = recent.fade(mark) if mark is not None else 0.0
        seen = recent.n * fade + 4.0
        negative = (recent.negative * fade + 4.0 * base.share) / seen
        positive = (recent.positive * fade + 4.0 * base.positive) / seen
        alert = self.alert(kol_id)
        return KolStatus(
            kol_id=kol_id,
            watermark=None if mark is None else moment_of(mark),
            score=monitor.backlash.shown_score,
            negative_share=negative,
            mood=positive - negative,
            expected_negative_share=base.share,
            comments_per_hour=recent.n * fade * 2,
            expected_comments_per_hour=0.0 if mark is None else base.expected(mark // 60),
            alert_id=None if alert is None else alert.alert_id,
            severity=None if alert is None else alert.severity,
            late=counter.state.late,
            duplicates=counter.state.repeats,
            learning=monitor.learning,
        )

    def snapshot(self, kol_id: str) -> bytes:
        """The whole state of a KOL, open minutes included.

        Raises:
            KeyError: the KOL was never seen.
        """
        kol, counter = self._monitors[kol_id].state, self._counters[kol_id].state.ordered()
        return encode(kol_id, SnapshotState(kol, counter))

    def restore(self, kol_id: str, data: bytes) -> None:
        """Take over a KOL from a snapshot; goes on as if it had never been interrupted.

        Raises:
            SnapshotError: the bytes are foreign, damaged, of another version or another KOL.
        """
        state, policy = decode(kol_id, data), self.policy(kol_id)
        monitor = KolPipeline(kol_id, policy, state.kol)
        counter = WindowCounter(kol_id, policy.lateness, state.counter)
        self._monitors[kol_id] = monitor
        self._counters[kol_id] = counter

    def reset(self, kol_id: str) -> None:
        """Drop everything known of a KOL; nothing happens if it was never seen."""
        self._monitors.pop(kol_id, None)
        self._counters.pop(kol_id, None)

    def _admit(self, kol_id: str) -> KolPipeline:
        policy = self.policy(kol_id)
        monitor = self._monitors[kol_id] = KolPipeline(kol_id, policy)
        self._counters[kol_id] = WindowCounter(kol_id, policy.lateness)
        return monitor
