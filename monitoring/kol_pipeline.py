"""One KOL's stream, minute by minute: time, learning and the monitors."""

import math

import msgspec

from monitoring.alerts import Alert, AlertEvent
from monitoring.authorship import Authorship
from monitoring.baseline import Baseline, BaselineState
from monitoring.detectors.baseline_drift import BaselineDrift, DriftState
from monitoring.errors import OutOfOrderError
from monitoring.event_time import minute_of, moment_of
from monitoring.exponential_window import FADE_MINUTES, ExponentialWindow
from monitoring.hours import Hour
from monitoring.kinds import Reason
from monitoring.minute_score import MinuteScore
from monitoring.monitors.attention import AttentionMonitor, AttentionState
from monitoring.monitors.backlash import BacklashMonitor, BacklashState
from monitoring.monitors.flood import FloodMonitor, FloodState
from monitoring.monitors.gap import GapMonitor, GapState
from monitoring.monitors.praise import PraiseMonitor, PraiseState
from monitoring.policy import Policy
from monitoring.windows import WindowStats

_LEARN_AFTER = 24  # hours a closed hour waits, so that the start of an incident is not learnt
_LONGEST_GAP = 60 * 24  # hours of silence after which time waits for the next window …
_WALKED = 48  # … and then only so many hours before it are closed


class KolState(msgspec.Struct, array_like=True):
    """All that is known of one KOL, up to the last closed minute.

    Attributes:
        minute: last minute taken, since 1970 UTC, or the one before the opening of a gap if that
            is later; None before the first.
        first_hour: hour of the first minute.
        hour: the open hour.
        pending: closed hours that were not learnt yet, oldest first.
        baseline: what is normal.
        drift: whether that moves.
        recent: the last half hour.
        authorship: who wrote in it.
        backlash: see `BacklashMonitor`, and so for the other monitors.
    """

    minute: int | None = None
    first_hour: int = 0
    hour: Hour = msgspec.field(default_factory=lambda: Hour(0))
    pending: list[Hour] = msgspec.field(default_factory=list)
    baseline: BaselineState = msgspec.field(default_factory=BaselineState)
    drift: DriftState = msgspec.field(default_factory=DriftState)
    recent: ExponentialWindow = msgspec.field(default_factory=ExponentialWindow)
    authorship: Authorship = msgspec.field(default_factory=Authorship)
    backlash: BacklashState = msgspec.field(default_factory=BacklashState)
    praise: PraiseState = msgspec.field(default_factory=PraiseState)
    flood: FloodState = msgspec.field(default_factory=FloodState)
    attention: AttentionState = msgspec.field(default_factory=AttentionState)
    gap: GapState = msgspec.field(default_factory=GapState)


class KolPipeline:
    """One KOL's stream. Knows no other KOL, reads no clock.

    Attributes:
        kol_id: whose stream.
        state: all that is known of it; the parts below hold and change parts of it.
        baseline: what is normal.
        recent: the last half hour.
        backlash: the monitor that pages.
        praise: the monitor that informs of good news.
        flood: the monitor that informs of copies.
        attention: the monitor that informs of volume alone.
        gap: the monitor that informs of silence.

    Args:
        kol_id: whose stream.
        policy: what it is judged by.
        state: what an earlier pipeline knew; None starts afresh.
    """

    __slots__ = (
        "_authorship",
        "_drift",
        "_excess",
        "_normal",
        "_normal_minute",
        "attention",
        "backlash",
        "baseline",
        "flood",
        "gap",
        "kol_id",
        "praise",
        "recent",
        "state",
    )

    def __init__(self, kol_id: str, policy: Policy, state: KolState | None = None) -> None:
        self.kol_id = kol_id
        self.state = state = KolState() if state is None else state
        self.baseline = base = Baseline(state.baseline)
        self.recent = recent = state.recent
        self._authorship = state.authorship
        self._drift = BaselineDrift(state.drift)
        self.backlash = BacklashMonitor(
            kol_id, policy, base, recent, state.authorship, state.backlash
        )
        self.praise = PraiseMonitor(kol_id, policy, base, recent, state.praise)
        self.flood = FloodMonitor(kol_id, policy, base, recent, state.flood)
        self.attention = AttentionMonitor(kol_id, policy, base, state.attention)
        self.gap = GapMonitor(kol_id, policy, base, state.gap)
        self._excess = 0.0  # of the last minute taken; only to be read right after it
        self._refresh()

    @property
    def reached(self) -> int | None:
        """Minute since 1970 UTC before which no window is taken any more; None before the first."""
        state = self.state
        return None if state.minute is None else max(state.minute + 1, state.hour.number * 60)

    def set_policy(self, policy: Policy) -> None:
        """Decide by `policy` from the next minute on; what was learnt and what is open stay."""
        self.backlash.set_policy(policy)
        self.praise.set_policy(policy)
        self.flood.set_policy(policy)
        self.attention.set_policy(policy)
        self.gap.set_policy(policy)

    def step(self, stats: WindowStats) -> list[AlertEvent]:
        """Take the next minute.

        Raises:
            OutOfOrderError: it does not start after the last one, or time has passed it.
        """
        state, minute = self.state, minute_of(stats.start)
        events: list[AlertEvent] = []
        if state.minute is None:
            state.first_hour = minute // 60
            state.hour = Hour(state.first_hour)
            self._refresh()
        elif minute <= state.minute or (hour_number := minute // 60) < state.hour.number:
            raise OutOfOrderError(
                f"window of {self.kol_id} at {stats.start.isoformat()} is not after "
                f"{moment_of(max(state.minute, state.hour.number * 60 - 1)).isoformat()}"
            )
        elif hour_number > state.hour.number or minute >= self.gap.earliest:
            events = self._pass_to(minute)
        state.minute = minute
        n = stats.comments
        if n <= 0:
            return events
        negative, positive = stats.negative, stats.positive
        recent = self.recent
        recent.learn_one(minute, n, negative, positive)
        # A new post shows at once in its minute, and in the half hour once it lasts.
        excess = max(n - self._normal_minute, n * (1.0 - self._normal / recent.n), 0.0)
        self._excess = excess
        hour, share, bright = state.hour, self.baseline.share, self.baseline.bright
        hour.comments += n
        hour.negative += negative
        hour.positive += positive
        hour.active += 1
        hour.excess += excess
        hour.scatter += (negative - n * share) ** 2 / (n * share * (1 - share))
        rest = n - negative
        if rest > 0:
            off = positive - rest * bright
            hour.bright_scatter += off**2 / (rest * bright * (1 - bright))
        if stats.top_author_share is not None or stats.duplicate_share is not None:
            self._authorship.learn_one(minute, stats)
        events += self.gap.learn_one(minute, n, negative)
        raised = self.backlash.learn_one(minute, n, negative, excess, hour)
        raised += self.praise.learn_one(minute, n, positive, excess)
        if raised:
            self._note(raised)
            events += raised
        if stats.duplicate_share is not None:
            events += self.flood.learn_one(minute, stats, self.backlash.alarmed)
        self.attention.learn_one(minute, n, negative)
        return events

    def minute_score(self, stats: WindowStats) -> MinuteScore:
        """The scores of `stats`, the last window taken, which held comments."""
        minute, base = minute_of(stats.start), self.baseline
        return MinuteScore(
            kol_id=self.kol_id,
            start=stats.start,
            comments=stats.comments,
            negative=stats.negative,
            positive=stats.positive,
            excess=self._excess,
            expected_comments=base.expected(minute // 60) / 60,
            expected_negative_share=base.share,
            rho_loud=base.rho[0],
            doubt=base.doubt,
            phi=base.phi,
            active=base.active,
            judged=self.backlash.judged,
            scores=self.backlash.scores(minute + 1) + self.praise.scores(minute + 1),
            authors=stats.authors,
            top_author_share=stats.top_author_share,
            duplicate_share=stats.duplicate_share,
        )

    def pass_time(self, minute: int) -> list[AlertEvent]:
        """No further comment was written before `minute`: close hours, open a gap if one is due.

        How the time is cut into calls changes nothing. Time that is more than 60 days after the
        last minute taken passes with the next window only.
        """
        events: list[AlertEvent] = []
        self._open_gap(minute, events)
        while self.state.hour.number < self._last_hour(minute):
            self._close_hour(events)
            self._open_gap(minute, events)
        return events

    def be_silent(self, until: int) -> list[AlertEvent]:
        """As `pass_time`, but only as far as the silence up to minute `until` says something.

        A gap opens when it is due. While an alert on the crowd is open, hours are closed, for
        silence may end it; not those in which the stream may be broken, unless the alert is overdue
        by the last of them. All other time stays open for comments that are held back. How the
        time is cut into calls changes nothing.
        """
        events: list[AlertEvent] = []
        self._open_gap(until, events)
        while self.state.hour.number < self._last_hour(until) and self._silence_counts(until):
            self._close_hour(events)
            self._open_gap(until, events)
        return events

    def _silence_counts(self, until: int) -> bool:
        """Whether a silence up to minute `until` closes the open hour."""
        if self.gap_due(until) is not None:
            return True
        if not self.has_open_alert:
            return False
        maybe_outage = self.gap.maybe_outage(self.state.hour.number * 60 + 60)
        return not maybe_outage or self._overdue(self._last_hour(until) * 60)

    def gap_due(self, until: float = math.inf) -> int | None:
        """The minute since 1970 UTC at which a gap opens if no comment comes.

        None if one is open, if two days of silence would say too little about this KOL, or if that
        minute is after `until`.
        """
        reached = self.reached
        return None if reached is None else self.gap.due(reached, until)

    def _last_hour(self, minute: int) -> int:
        """The hour of `minute` if time passes so far without a window, else the last it reaches."""
        last = self.state.minute
        return 0 if last is None else min(minute // 60, last // 60 + _LONGEST_GAP)

    def _pass_to(self, minute: int) -> list[AlertEvent]:
        """Let time pass up to `minute`, in which there is a window."""
        state, reached = self.state, minute // 60
        events = self.pass_time(minute)
        if reached - state.hour.number > _WALKED:
            state.hour = Hour(reached - _WALKED)
            state.pending.clear()
        while state.hour.number < reached:
            self._close_hour(events)
        return events

    def _open_gap(self, until: int, events: list[AlertEvent]) -> None:
        """Open a gap if it is due in the open hour and by minute `until`.

        One that is due when the hour ends belongs to the next, which may move it.
        """
        state, reached = self.state, self.reached
        until = min(until, state.hour.number * 60 + 59)
        if reached is None or until < self.gap.earliest:
            return
        for event in self.gap.stay_silent(reached, until):
            state.minute = minute_of(event.at) - 1
            self._taint_since(event)
            events.append(event)

    def _close_hour(self, events: list[AlertEvent]) -> None:
        state = self.state
        closed = state.hour
        observed_span = self.gap.observed_span(closed.number * 60 + 60)
        explained = self._crowd_alert
        raised = self.backlash.close_hour(closed, observed_span)
        raised += self.praise.close_hour(closed.number, closed.positive, observed_span)
        unusual = self.backlash.alarmed or self.praise.tracker.open
        closed.tainted = unusual or self.gap.taints(closed.number)
        state.pending.append(closed)
        state.hour = Hour(closed.number + 1)
        self._note(raised)
        events += raised
        events += self.flood.close_hour(closed.number, observed_span)
        # Last, so that it is known what else began or ended in this hour.
        events += self.attention.close_hour(closed.number, explained or self._crowd_alert)
        delay = min(_LEARN_AFTER, max(1, (closed.number - state.first_hour) // 4))
        while state.pending and closed.number - state.pending[0].number >= delay:
            self._learn(state.pending.pop(0))
        self._refresh()

    def _learn(self, hour: Hour) -> None:
        if hour.tainted:
            return
        base = self.baseline
        # A day of few posts strays about as much as the comments under half of one.
        rho = base.rho[0] / 4 + base.doubt
        if self._drift.learn_hour(hour.number, hour.comments, hour.negative, base.share, rho):
            base.loosen()
        base.learn_hour(hour)

    def _note(self, raised: list[AlertEvent]) -> None:
        """Keep the hours of a declared incident out of the baseline."""
        for event in raised:
            if event.reason in (Reason.OPENED, Reason.AFTERSHOCK, Reason.REOPENED):
                self._taint_since(event)
            elif event.reason is Reason.RESOLVED:
                self._refresh()

    def _taint_since(self, event: AlertEvent) -> None:
        first = minute_of(event.evidence.incident_start) // 60
        for hour in self.state.pending:
            hour.tainted = hour.tainted or hour.number >= first

    def _refresh(self) -> None:
        per_minute = self.baseline.expected(self.state.hour.number) / 60
        self._normal = per_minute * FADE_MINUTES
        self._normal_minute = per_minute + 2 * math.sqrt(per_minute) + 1
        self.backlash.refresh()
        self.praise.refresh()

    def open_alerts(self) -> list[Alert]:
        """The alerts now open, backlash first."""
        trackers = (
            self.backlash.tracker,
            self.praise.tracker,
            self.flood.tracker,
            self.attention.tracker,
            self.gap,
        )
        found = (tracker.alert for tracker in trackers)
        return [alert for alert in found if alert is not None and alert.is_open]

    @property
    def _crowd_alert(self) -> bool:
        """Whether another alert explains that there are many comments."""
        return self.backlash.tracker.open or self.praise.tracker.open or self.flood.tracker.open

    @property
    def has_open_alert(self) -> bool:
        """Whether an alert on what the crowd says is open, so that its silence may end it.

        Floods and attention do not count: they may not hasten the close of a backlash's minutes.
        """
        return self.backlash.tracker.open or self.praise.tracker.open

    def _overdue(self, now: int) -> bool:
        """Whether what is open on the crowd is too long by minute `now` to be an incident."""
        return self.backlash.tracker.overdue(now) or self.praise.tracker.overdue(now)

    @property
    def learning(self) -> bool:
        """Whether less than two days or twenty effective comments have been learnt."""
        return self.baseline.hours < 24 or self.baseline.weight < 20
