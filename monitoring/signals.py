"""What the detectors of one KOL say together at one moment."""

from dataclasses import dataclass

from monitoring.evidence import Evidence
from monitoring.kinds import AlertFamily, AlertKind, Severity


@dataclass(frozen=True, slots=True)
class Signal:
    """The state of one KOL's stream, as the lifecycle of alerts needs it.

    Attributes:
        kol_id: whose stream.
        family: one alert per family is open at a time.
        kind: what it looks like.
        severity: what the figures call for.
        score: largest detector value over its threshold; 1 pages.
        rate: negative comments per minute over the stretch judged; for praise positive ones, for
            a flood copies.
        recovered: the stream is back to normal.
        evidence: the figures behind it; None while nothing is to be reported.
    """

    kol_id: str
    family: AlertFamily
    kind: AlertKind
    severity: Severity
    score: float
    rate: float
    recovered: bool
    evidence: Evidence | None = None

    @property
    def firing(self) -> bool:
        """Whether a detector is over its threshold and there is evidence to show."""
        return self.score >= 1.0 and self.evidence is not None
