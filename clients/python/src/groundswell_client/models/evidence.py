"""What an alert rests on."""

from datetime import datetime

import msgspec

from groundswell_client.record import Record


class DetectorScoreInfo(Record, frozen=True, kw_only=True):
    """What one detector answered.

    Attributes:
        name: the detector; docs/detection.md explains each.
        scale_minutes: length of the stretch that it judged.
        value: its log-likelihood ratio, in nats.
        threshold: the value above which it raises an alert.
        inputs: what the value is computed from, by symbol; empty where that was not stored.
    """

    name: str
    scale_minutes: float
    value: float
    threshold: float
    inputs: dict[str, float] = msgspec.field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """The value over its threshold; 1 raises an alert."""
        return self.value / self.threshold if self.threshold else 0.0


class PostDriverInfo(Record, frozen=True, kw_only=True):
    """What one post adds to an incident.

    Attributes:
        post_id: None for comments whose source does not say.
        comments: under the post.
        negative: sum of P(negative) over them.
        expected_negative: the same at the normal negative share.
        excess: `negative` - `expected_negative`.
    """

    post_id: str | None
    comments: int
    negative: float
    expected_negative: float
    excess: float


class TermInfo(Record, frozen=True, kw_only=True):
    """A term that is typical of the negative comments of an incident.

    Attributes:
        text: the term, case-folded.
        z: its log-odds over their standard deviation.
        incident: comments of the incident that contain it.
        baseline: earlier comments that contain it.
    """

    text: str
    z: float
    incident: int
    baseline: int


class SampleInfo(Record, frozen=True, kw_only=True):
    """A comment of an incident."""

    platform: str
    comment_id: str
    post_id: str | None
    author_id: str | None
    text: str
    negative: float
    offensive: float | None
    likes: int | None
    created_at: datetime


class AudienceInfo(Record, frozen=True, kw_only=True):
    """Who writes. Shares are 0 to 1; None where not known, or stored before it was computed.

    Attributes:
        verdict: "organic", "mixed" or "coordinated".
        reasons: the figures behind the verdict, in words.
        authors: distinct authors.
        turned_share: negative comments by authors whose earlier ones were mostly not negative.
        regulars: distinct authors who wrote before the incident, too.
        loyal: regulars whose earlier comments were mostly positive.
        loyal_turned: of the loyal, those who write mostly negative comments now.
        loyal_defending: of the loyal, those who still write mostly positive ones.
    """

    verdict: str
    reasons: tuple[str, ...]
    authors: int | None
    top_author_share: float | None = None
    top_five_share: float | None = None
    newcomer_share: float | None = None
    turned_share: float | None = None
    near_duplicate_share: float | None = None
    regulars: int | None = None
    loyal: int | None = None
    loyal_turned: int | None = None
    loyal_defending: int | None = None
    regular_negative: float | None = None
    regular_negative_usual: float | None = None
    regular_positive: float | None = None
    regular_positive_usual: float | None = None
    newcomer_negative: float | None = None


class DriversInfo(Record, frozen=True, kw_only=True):
    """Why: posts, words, comments and authors of an incident.

    Attributes:
        posts: those with the most negative comments above normal first.
        terms: the most typical first.
        representative: comments that contain those terms.
        most_liked: the negative comments with the most likes.
        audience: who writes.
        offensive_share: mean P(offensive), 0 to 1; None where it was not scored.
        offensive_usual: the same before the incident.
        languages: comments by language, the most first.
        platforms: comments by platform, the most first.
    """

    posts: tuple[PostDriverInfo, ...]
    terms: tuple[TermInfo, ...]
    representative: tuple[SampleInfo, ...]
    most_liked: tuple[SampleInfo, ...]
    audience: AudienceInfo
    languages: tuple[tuple[str, int], ...]
    platforms: tuple[tuple[str, int], ...]
    offensive_share: float | None = None
    offensive_usual: float | None = None


class EvidenceInfo(Record, frozen=True, kw_only=True):
    """The figures of an alert against the baseline, over the stretch that led to it.

    Attributes:
        window_start: first instant of the stretch.
        window_end: its end.
        incident_start: estimate of when the incident began.
        comments: in the stretch.
        negative: sum of P(negative) over them.
        negative_share: 0 to 1.
        expected_comments: normal number of comments in such a stretch at this hour.
        expected_negative_share: normal for this KOL, 0 to 1.
        volume_ratio: comments over expected comments.
        scores: what each detector answered.
        drivers: why; None where nothing was written.
        summary: one sentence.
    """

    window_start: datetime
    window_end: datetime
    incident_start: datetime
    comments: int
    negative: float
    negative_share: float
    expected_comments: float
    expected_negative_share: float
    volume_ratio: float
    scores: tuple[DetectorScoreInfo, ...]
    drivers: DriversInfo | None = None
    summary: str = ""
