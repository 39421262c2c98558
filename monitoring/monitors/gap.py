"""The monitor of gaps: a KOL that normally gets comments gets none. It informs, and never pages.

A platform that is down and a feed that broke look the same from here: nothing comes. In a Poisson
stream that should have held `E` comments, none come with probability e^-E, so `E` is the evidence
in nats. Only comments that are reliably expected count (`Baseline.assured`), so quiet nights count
for nothing. Crowds also pause: a gap must miss twice as many comments as any recent silence that
ended by itself.

A gap opens in event time, at the minute at which its silence has missed enough, whoever declares
that this minute has passed, and when: an idle mark, or the next comment.

Silence also ends incidents, if it is the crowd's own. So a silence that may yet turn out a gap is
not counted as calm before a comment ends it, and never if it was a long one.
"""

import math

import msgspec

from monitoring import alerts
from monitoring.alerts import Alert, AlertEvent
from monitoring.baseline import Baseline
from monitoring.event_time import minute_of, moment_of
from monitoring.evidence import DetectorScore, Evidence
from monitoring.kinds import AlertFamily, AlertKind, Reason, Severity
from monitoring.policy import Policy
from monitoring.summary import summarise_gap, summarise_return

KIND = AlertKind.DATA_GAP
DETECTOR = "silence"
_HORIZON = 2 * 1440  # minutes: a silence that says nothing by then is left alone
_BEYOND = 2.0  # times the longest recent silence that was normal
_DOUBTED = 1.0  # reliably expected; a silence that misses more is not judged while it lasts
_LEFT_OUT = 3.0  # … and one that missed more is left out: by chance one in twenty does (e^-3)
_SOON = 12 * 60  # minutes within which a gap can be reported, of a KOL whose silences are doubted
_HALVING = 14 * 1440.0  # minutes in which the memory of a silence fades by half


class GapState(msgspec.Struct, array_like=True):
    """What the monitor of gaps has seen.

    Attributes:
        silent_since: the minute after the last that held comments; None before the first.
        longest: comments that the longest recent silence missed …
        longest_at: … as of this minute.
        tainted_until: the hour in which the last gap ended.
        observed_until: minute up to which `observed_span` has counted.
        alert: the open alert; None while there is no gap.
    """

    silent_since: int | None = None
    longest: float = 0.0
    longest_at: int = 0
    tainted_until: int = 0
    observed_until: int = 0
    alert: Alert | None = None


class GapMonitor:
    """Detects that nothing comes.

    Attributes:
        state: what it has seen, with the open alert.
        earliest: minute before which the present silence is no gap, whatever it missed.
    """

    __slots__ = ("_baseline", "_kol_id", "_least", "_nats", "earliest", "state")

    def __init__(
        self, kol_id: str, policy: Policy, baseline: Baseline, state: GapState | None = None
    ) -> None:
        self._kol_id = kol_id
        self._baseline = baseline
        self.state = GapState() if state is None else state
        self.set_policy(policy)

    @property
    def alert(self) -> Alert | None:
        """The open alert; None while there is no gap."""
        return self.state.alert

    def set_policy(self, policy: Policy) -> None:
        """Decide by `policy` from here on."""
        self._nats = policy.gap_nats
        self._least = math.ceil(policy.gap_least.total_seconds() / 60)  # minutes
        since = self.state.silent_since
        self.earliest = math.inf if since is None else since + self._least

    def learn_one(self, minute: int, n: int, k: float) -> list[AlertEvent]:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC.
            n: comments, at least one.
            k: sum of P(negative).
        """
        state = self.state
        since = minute if state.silent_since is None else state.silent_since
        if minute > since:
            missed = self._baseline.assured_between(since, minute)
            doubted = missed >= _LEFT_OUT and self._reported_soon(since)
        state.silent_since = minute + 1
        self.earliest = minute + 1 + self._least
        if minute > since:
            if doubted or state.alert is not None:
                state.observed_until += max(minute - max(since, state.observed_until), 0)
            if minute - since >= self._least:
                self._learn_silence(missed, minute)
        return [] if state.alert is None else self._end(state.alert, minute, n, k)

    def _learn_silence(self, missed: float, until: int) -> None:
        """A silence is over: the next must miss twice as many. It raises the bar twofold at most,
        so that one outage does not hide the next.
        """
        state = self.state
        before = self._remembered(until)
        most = 2.0 * max(before, self._nats / _BEYOND)
        state.longest, state.longest_at = max(before, min(missed, most)), until

    def _remembered(self, minute: int) -> float:
        state = self.state
        left: float = 0.5 ** (max(minute - state.longest_at, 0) / _HALVING)
        return state.longest * left

    def _bar(self, since: int) -> float:
        return max(self._nats, _BEYOND * self._remembered(since))

    def due(self, reached: int, until: float = math.inf) -> int | None:
        """The minute at which the present silence is a gap, should it last (since 1970 UTC).

        None where one is open, none was ever seen, two days of silence would say too little, or
        that minute is after `until`.

        Args:
            reached: minute that time has reached: what was learnt since moves no gap before it.
            until: the last minute of interest.
        """
        state, since = self.state, self.state.silent_since
        if since is None or state.alert is not None or until < self.earliest:
            return None
        last = min(until, since + max(_HORIZON, self._least))
        minute, end = since, since + _HORIZON
        left = self._bar(minute)
        while minute < end and minute <= last:
            stop = min(minute // 60 * 60 + 60, end)
            rate = self._baseline.assured(minute // 60) / 60
            if rate * (stop - minute) >= left:
                due = max(minute + math.ceil(left / rate), since + self._least, reached)
                return due if due <= last else None
            left -= rate * (stop - minute)
            minute = stop
        return None

    def stay_silent(self, reached: int, until: int) -> list[AlertEvent]:
        """Open a gap if one is due from minute `reached` up to `until` (since 1970 UTC)."""
        state = self.state
        now = self.due(reached, until)
        if state.silent_since is None or now is None:
            return []
        since, moment = state.silent_since, moment_of(now)
        score = DetectorScore(
            DETECTOR,
            float(now - since),
            self._baseline.assured_between(since, now),
            self._bar(since),
        )
        evidence = self._evidence(since, now, 0, 0.0, (score,))
        state.alert = Alert(
            alert_id=alerts.alert_id(self._kol_id, AlertFamily.GAP, moment_of(since)),
            kol_id=self._kol_id,
            family=AlertFamily.GAP,
            kind=KIND,
            severity=Severity.INFO,
            state="open",
            opened_at=moment,
            updated_at=moment,
            resolved_at=None,
            incident_start=moment_of(since),
            score=score.value / score.threshold,
            peak_rate=0.0,
        )
        summary = summarise_gap(self._kol_id, evidence)
        return [alerts.event_of(state.alert, Reason.OPENED, moment, evidence.saying(summary))]

    def _end(self, alert: Alert, minute: int, n: int, k: float) -> list[AlertEvent]:
        """Comments have come."""
        state = self.state
        since, now = minute_of(alert.incident_start), minute + 1
        evidence = self._evidence(since, now, n, k, ())
        summary = summarise_return(self._kol_id, minute - since, evidence)
        state.alert, state.tainted_until = None, minute // 60
        return [alerts.event_of(alert, Reason.RESOLVED, moment_of(now), evidence.saying(summary))]

    def _evidence(
        self, since: int, now: int, n: int, k: float, scores: tuple[DetectorScore, ...]
    ) -> Evidence:
        expected = self._baseline.expected_between(since, now)
        return Evidence(
            window_start=moment_of(since),
            window_end=moment_of(now),
            incident_start=moment_of(since),
            comments=n,
            negative=k,
            expected_comments=expected,
            expected_negative_share=self._baseline.share,
            volume_ratio=(n + 0.5) / (expected + 0.5),
            scores=scores,
        )

    def maybe_outage(self, now: int) -> bool:
        """Whether the silence up to minute `now` may be a broken stream's and not the crowd's."""
        state = self.state
        if state.alert is not None or state.silent_since is None:
            return state.alert is not None
        missed = self._baseline.assured_between(state.silent_since, now)
        return missed >= _DOUBTED and self._reported_soon(state.silent_since)

    def _reported_soon(self, since: int) -> bool:
        """Whether a gap that began at minute `since` could be reported soon.

        A KOL with a comment an hour is silent every day; nothing could be reported before its
        incident is long over.
        """
        return self.due(since, since + _SOON) is not None

    def observed_span(self, now: int) -> tuple[int, int]:
        """The minutes since the last call, from and up to, in which silence was the crowd's own.

        A silence that lasts and is doubted is left to a later call. One that is left out moves the
        first minute by its length.

        Args:
            now: minutes since 1970 UTC; not before any minute taken.
        """
        state = self.state
        since, until = state.observed_until, now
        if state.silent_since is not None and self.maybe_outage(now):
            until = state.silent_since
        state.observed_until = max(since, until)
        return since, state.observed_until

    def taints(self, hour: int) -> bool:
        """Whether a gap spoils an hour (since 1970 UTC)."""
        state = self.state
        return state.alert is not None or hour <= state.tainted_until
