"""What an alert is based on, so that a sceptical reader can recompute it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from monitoring.drivers import Drivers
from monitoring.summary import remarks


@dataclass(frozen=True, slots=True)
class DetectorScore:
    """The value of one detector at the event.

    Attributes:
        name: the detector.
        scale_minutes: length of the stretch it judged, in minutes.
        value: its log-likelihood ratio, in nats.
        threshold: the value at which it pages; `value / threshold` is the backlash score.
        inputs: what the value can be recomputed from, under the symbols of docs/detection.md; empty
            where there is no value, and in minute scores, which are stored for every minute.
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
    """The observed against the normal, over the stretch that led to the event.

    Attributes:
        window_start: first instant of the stretch, aware, UTC.
        window_end: its end.
        incident_start: estimate of when the incident began.
        comments: comments in the stretch.
        negative: sum of P(negative) over them.
        expected_comments: comments normal in such a stretch at these hours.
        expected_negative_share: negative share normal for this KOL, in [0, 1].
        volume_ratio: comments over expected comments.
        scores: the value of each detector.
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
        """The same figures with another sentence."""
        return replace(self, summary=summary)

    def explained(self, drivers: Drivers, *, aloud: bool) -> "Evidence":
        """The same figures with their drivers.

        Args:
            drivers: computed from the incident's comments.
            aloud: with a sentence on what is remarkable in them, behind the summary.
        """
        found = remarks(drivers, self.comments) if aloud else ""
        return replace(self, drivers=drivers, summary=f"{self.summary} {found}".rstrip())

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
