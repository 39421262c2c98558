"""The scores of one closed minute: what was observed, what is normal, what detectors found."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.evidence import DetectorScore
from monitoring.windows import WindowStats


@dataclass(frozen=True, slots=True)
class MinuteScore:
    """One KOL after one minute with comments; enough to recompute `share_shift` by hand.

    With `p` the expected negative share, a stretch of minutes with `N` comments, `K` the sum of
    P(negative) and `X` the sum of `excess` is judged at `κ = 1 / (rho_loud (X/N)² + doubt)`:
    docs/detection.md has the formula. A stretch begins `scale_minutes` before the minute's end.

    Attributes:
        kol_id: whose stream.
        start: first instant of the minute, aware, UTC.
        comments: how many comments were counted in it.
        negative: sum of P(negative) over them.
        positive: sum of P(positive) over them.
        excess: comments beyond the normal volume.
        expected_comments: comments normal in a minute of this hour.
        expected_negative_share: normal negative share, in (0, 1).
        rho_loud: correlation of the comments under a loud post.
        doubt: correlation of a calm stretch, with the doubt about the normal share added.
        phi: variance of a comment's P(negative) over that of a 0 or 1, in (0, 1].
        active: normal share of the minutes that hold a comment; the minutes' threshold rests on it.
        judged: enough has been learnt for a value over its threshold to raise an alert.
        scores: the value of each detector, of backlash and of praise.
        authors: distinct authors; None where not known …
        top_author_share: … and the next two, as in `WindowStats`.
        duplicate_share: share of near-copies.
    """

    kol_id: str
    start: datetime
    comments: int
    negative: float
    positive: float
    excess: float
    expected_comments: float
    expected_negative_share: float
    rho_loud: float
    doubt: float
    phi: float
    active: float
    judged: bool
    scores: tuple[DetectorScore, ...]
    authors: int | None = None
    top_author_share: float | None = None
    duplicate_share: float | None = None

    @property
    def window(self) -> WindowStats:
        """The minute as it was counted."""
        return WindowStats(
            kol_id=self.kol_id,
            start=self.start,
            comments=self.comments,
            negative=self.negative,
            positive=self.positive,
            authors=self.authors,
            top_author_share=self.top_author_share,
            duplicate_share=self.duplicate_share,
        )
