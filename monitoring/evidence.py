"""What an alert rests on, so that a sceptical reader can recompute it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from monitoring.drivers import Drivers
from monitoring.kinds import AlertKind

_FEW = 5  # comments of which a share says nothing
_LEAST_LOYAL = 5  # loyal fans below whom nothing is said of them
_OFFENSIVE_RISE = 0.1  # of the offensive share, from which it is worth a sentence …
_OFFENSIVE_LEAST = 20  # … of so many comments


@dataclass(frozen=True, slots=True)
class DetectorScore:
    """What one detector said when the event arose.

    Attributes:
        name: the detector.
        scale_minutes: length of the stretch it judged, in minutes.
        value: its log-likelihood ratio, in nats.
        threshold: the value at which it pages; `value / threshold` is the backlash score.
        inputs: what the value can be recomputed from, under the symbols of docs/detection.md; empty
            where there is no value, and in readings, which are kept for every minute.
    """

    name: str
    scale_minutes: float
    value: float
    threshold: float
    inputs: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """The value over its threshold; 1 pages."""
        return self.value / self.threshold


@dataclass(frozen=True, slots=True)
class Evidence:
    """The observed against the usual, over the stretch that led to the event.

    Attributes:
        window_start: first instant of the stretch, aware, UTC.
        window_end: its end.
        incident_start: estimate of when the incident began.
        comments: comments in the stretch.
        negative: sum of P(negative) over them.
        expected_comments: comments usual in such a stretch at these hours.
        expected_negative_share: negative share usual for this KOL, in [0, 1].
        volume_ratio: comments over expected comments.
        scores: what each detector said.
        drivers: why, from the comments themselves; None until the store has been read.
        summary: one sentence written from these figures.
    """

    window_start: datetime
    window_end: datetime
    incident_start: datetime
    comments: int
    negative: float
    expected_comments: float
    expected_negative_share: float
    volume_ratio: float
    scores: tuple[DetectorScore, ...]
    drivers: Drivers | None = None
    summary: str = ""

    @property
    def negative_share(self) -> float:
        """Observed negative share, in [0, 1]; 0 where there were no comments."""
        return self.negative / self.comments if self.comments else 0.0

    def saying(self, summary: str) -> "Evidence":
        """The same figures under another sentence."""
        return replace(self, summary=summary)

    def explained(self, drivers: Drivers, *, aloud: bool) -> "Evidence":
        """The same figures with what lies behind them.

        Args:
            drivers: computed from the incident's comments.
            aloud: with a sentence on what stands out of them, behind the summary.
        """
        told = _standing_out(drivers, self.comments) if aloud else ""
        return replace(self, drivers=drivers, summary=f"{self.summary} {told}".rstrip())

    def to_dict(self) -> dict[str, Any]:
        """The evidence as JSON-able values; `from_dict` reads it back."""
        return {
            "window_start": self.window_start.isoformat(),
            "window_end": self.window_end.isoformat(),
            "incident_start": self.incident_start.isoformat(),
            "comments": self.comments,
            "negative": self.negative,
            "negative_share": self.negative_share,
            "expected_comments": self.expected_comments,
            "expected_negative_share": self.expected_negative_share,
            "volume_ratio": self.volume_ratio,
            "scores": [
                {
                    "name": score.name,
                    "scale_minutes": score.scale_minutes,
                    "value": score.value,
                    "threshold": score.threshold,
                    "inputs": dict(score.inputs),
                }
                for score in self.scores
            ],
            "drivers": None if self.drivers is None else self.drivers.to_dict(),
            "summary": self.summary,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Evidence":
        """Read what `to_dict` wrote.

        Raises:
            KeyError: a field is missing.
        """
        drivers = data["drivers"]
        return cls(
            window_start=datetime.fromisoformat(data["window_start"]),
            window_end=datetime.fromisoformat(data["window_end"]),
            incident_start=datetime.fromisoformat(data["incident_start"]),
            comments=data["comments"],
            negative=data["negative"],
            expected_comments=data["expected_comments"],
            expected_negative_share=data["expected_negative_share"],
            volume_ratio=data["volume_ratio"],
            scores=tuple(DetectorScore(**score) for score in data["scores"]),
            drivers=None if drivers is None else Drivers.from_dict(drivers),
            summary=data["summary"],
        )


def summarise(kind: AlertKind, kol_id: str, evidence: Evidence) -> str:
    """One sentence from the figures of `evidence`, for a person who reads nothing else.

    Args:
        kind: the alert's kind.
        kol_id: whose stream.
        evidence: the figures; its own `summary` is not read.
    """
    span = _span((evidence.window_end - evidence.window_start).total_seconds() / 60)
    if kind == AlertKind.PRAISE_SURGE:
        return (
            f"Praise for @{kol_id}: {evidence.comments} comments in {span}, "
            f"{evidence.negative_share:.0%} of them negative; "
            f"{evidence.expected_comments:.0f} comments are usual at this hour."
        )
    if kind == AlertKind.COMMENT_FLOOD:
        return _summarise_flood(kol_id, evidence)
    lead = {
        AlertKind.BRIGADE: "A few accounts push negative comments on",
        AlertKind.FLIP: "The mood turned at usual volume on",
        AlertKind.SLOW_BURN: "Negative comments have been growing on",
    }.get(kind, "Negative comments rose on")
    return (
        f"{lead} @{kol_id}: {evidence.negative_share:.0%} of {evidence.comments} in {span}; "
        f"{evidence.expected_negative_share:.0%} of {evidence.expected_comments:.0f} is usual."
    )


def _summarise_flood(kol_id: str, evidence: Evidence) -> str:
    """From what its one detector judged; at an end there may be nothing to judge."""
    (score,) = evidence.scores
    n, copies, usual = (score.inputs.get(name, 0.0) for name in ("n", "k", "p"))
    return (
        f"Near-copies make {copies / max(n, 1.0):.0%} of {n:.0f} comments on @{kol_id} in "
        f"{_span(score.scale_minutes)}; usually {usual:.0%}."
    )


def _standing_out(drivers: Drivers, comments: int) -> str:
    """What the loyal do, and whether the tone is rougher than usual; empty if neither is much."""
    parts = []
    who = drivers.audience
    if who.loyal is not None and who.loyal >= _LEAST_LOYAL:
        parts.append(
            f"Of {who.loyal} loyal fans who write, {who.loyal_turned} turned negative and "
            f"{who.loyal_defending} stay positive."
        )
    now, usual = drivers.offensive_share, drivers.offensive_usual
    rise = 0.0 if now is None or usual is None else now - usual
    if rise >= _OFFENSIVE_RISE and comments >= _OFFENSIVE_LEAST:
        parts.append(f"{now:.0%} of the comments are offensive; {usual:.0%} is usual.")
    return " ".join(parts)


def summarise_end(kol_id: str, now: datetime, evidence: Evidence) -> str:
    """One sentence on an incident that is over.

    Args:
        kol_id: whose stream.
        now: event time of the resolution.
        evidence: the figures of the last half hour.
    """
    span = _span((now - evidence.incident_start).total_seconds() / 60)
    if evidence.comments < _FEW:
        now_it_is = (
            f"{evidence.comments} comments in the last half hour, "
            f"{evidence.expected_comments:.0f} are usual"
        )
    else:
        now_it_is = (
            f"{evidence.negative_share:.0%} of the last {evidence.comments} comments are negative, "
            f"{evidence.expected_negative_share:.0%} is usual"
        )
    return f"Over after {span} on @{kol_id}: {now_it_is}."


def summarise_gap(kol_id: str, evidence: Evidence) -> str:
    """One sentence on a silence that tells of a broken stream, from its figures."""
    span = _span((evidence.window_end - evidence.window_start).total_seconds() / 60)
    return (
        f"No comments on @{kol_id} for {span}; {evidence.expected_comments:.0f} are usual in that "
        "time. A platform or a feed may be down."
    )


def summarise_return(kol_id: str, minutes: int, held_back: bool, evidence: Evidence) -> str:
    """One sentence on the end of such a silence.

    Args:
        kol_id: whose stream.
        minutes: of silence.
        held_back: what came was written before the silence was told, and arrived only now.
        evidence: the figures up to the first minute with comments.
    """
    if held_back:
        return f"Comments that were missing on @{kol_id} have arrived."
    return (
        f"Comments come again on @{kol_id} after {_span(minutes)} without any; "
        f"{evidence.expected_comments:.0f} are usual in that time."
    )


def _span(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
