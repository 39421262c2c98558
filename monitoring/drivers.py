"""Why an alert: which posts, which words, which comments, which authors."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from monitoring.audience import Audience, audience_of
from monitoring.events import ScoredComment
from monitoring.terms import Term, distinctive, terms_of

_NEGATIVE = 0.5  # P(negative) from which a comment is shown as a negative one


@dataclass(frozen=True, slots=True)
class PostDriver:
    """What one post adds.

    Attributes:
        post_id: the post; None for comments whose source does not say.
        comments: of the incident, under it.
        negative: sum of P(negative) over them.
        expected_negative: the same if its comments were as normal.
        excess: `negative` - `expected_negative`.
    """

    post_id: str | None
    comments: int
    negative: float
    expected_negative: float
    excess: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A comment worth reading.

    Attributes:
        platform: where it was written.
        comment_id: its id there.
        post_id: its post.
        author_id: its author.
        text: as written.
        negative: P(negative).
        offensive: P(offensive); None where not known.
        likes: None where not known.
        created_at: event time, ISO 8601.
    """

    platform: str
    comment_id: str
    post_id: str | None
    author_id: str | None
    text: str
    negative: float
    offensive: float | None
    likes: int | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Drivers:
    """Why: computed from the incident's comments against the baseline's.

    Attributes:
        posts: ranked by excess negatives.
        terms: that set the negative comments apart.
        representative: comments that hold those terms, by different authors, not alike.
        most_liked: the negative comments with the most likes.
        audience: who writes.
        offensive_share: mean P(offensive); None where no comment has it.
        offensive_usual: the same of the baseline.
        languages: comments by language, most first; unknown ones left out.
        platforms: comments by platform, most first.
    """

    posts: tuple[PostDriver, ...]
    terms: tuple[Term, ...]
    representative: tuple[Sample, ...]
    most_liked: tuple[Sample, ...]
    audience: Audience
    offensive_share: float | None
    languages: tuple[tuple[str, int], ...]
    platforms: tuple[tuple[str, int], ...]
    offensive_usual: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The drivers as JSON-able values; `from_dict` reads them back."""
        data = asdict(self)
        data["languages"] = [list(pair) for pair in self.languages]
        data["platforms"] = [list(pair) for pair in self.platforms]
        for name in ("posts", "terms", "representative", "most_liked"):
            data[name] = list(data[name])
        data["audience"]["reasons"] = list(self.audience.reasons)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Drivers":
        """Read what `to_dict` wrote.

        Raises:
            KeyError: a field is missing.
        """
        audience = {**data["audience"], "reasons": tuple(data["audience"]["reasons"])}
        return cls(
            posts=tuple(PostDriver(**post) for post in data["posts"]),
            terms=tuple(Term(**term) for term in data["terms"]),
            representative=tuple(Sample(**sample) for sample in data["representative"]),
            most_liked=tuple(Sample(**sample) for sample in data["most_liked"]),
            audience=Audience(**audience),
            offensive_share=data["offensive_share"],
            languages=tuple((str(lang), int(count)) for lang, count in data["languages"]),
            platforms=tuple((str(name), int(count)) for name, count in data["platforms"]),
            offensive_usual=data.get("offensive_usual"),
        )


def explain(
    incident: Sequence[ScoredComment],
    baseline: Sequence[ScoredComment],
    expected_share: float | None = None,
    top: int = 8,
) -> Drivers:
    """Why the incident's comments differ from those before.

    Args:
        incident: comments from the incident's start to the event; may be empty.
        baseline: comments before it, as many as are at hand; may be empty.
        expected_share: normal negative share, in [0, 1]; None takes the baseline's mean.
        top: how many posts, terms and samples to keep of each.
    """
    if expected_share is None:
        negative = sum(scored.negative for scored in baseline)
        expected_share = negative / len(baseline) if baseline else 0.0
    documents = [(terms_of(scored.comment.text), scored.negative) for scored in incident]
    terms = distinctive(documents, (terms_of(scored.comment.text) for scored in baseline), top)
    liked = [
        scored
        for scored in incident
        if scored.comment.likes and scored.comment.text and scored.negative >= _NEGATIVE
    ]
    liked.sort(key=lambda scored: (-(scored.comment.likes or 0), _key(scored)))
    languages = Counter(scored.comment.lang for scored in incident if scored.comment.lang)
    platforms = Counter(scored.comment.platform for scored in incident)
    return Drivers(
        posts=_posts(incident, expected_share, top),
        terms=tuple(terms),
        representative=_representative(incident, documents, terms, top),
        most_liked=tuple(_sample(scored) for scored in liked[:top]),
        audience=audience_of(incident, baseline),
        offensive_share=_offensive(incident),
        languages=tuple(languages.most_common(top)),
        platforms=tuple(platforms.most_common(top)),
        offensive_usual=_offensive(baseline),
    )


def _offensive(comments: Sequence[ScoredComment]) -> float | None:
    return _mean([scored.offensive for scored in comments if scored.offensive is not None])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _posts(
    incident: Sequence[ScoredComment], expected_share: float, top: int
) -> tuple[PostDriver, ...]:
    groups: defaultdict[str | None, list[float]] = defaultdict(list)
    for scored in incident:
        groups[scored.comment.post_id].append(scored.negative)
    posts = [
        PostDriver(
            post_id=post_id,
            comments=len(shares),
            negative=sum(shares),
            expected_negative=len(shares) * expected_share,
            excess=sum(shares) - len(shares) * expected_share,
        )
        for post_id, shares in groups.items()
    ]
    posts.sort(key=lambda post: (-post.excess, post.post_id or ""))
    return tuple(posts[:top])


def _representative(
    incident: Sequence[ScoredComment],
    documents: list[tuple[set[str], float]],
    terms: list[Term],
    top: int,
) -> tuple[Sample, ...]:
    def strength(found: set[str]) -> float:
        # Summed in the terms' order: that of a set changes from process to process.
        return 1 + sum(term.z for term in terms if term.text in found)

    order = sorted(
        range(len(incident)),
        key=lambda i: (
            -incident[i].negative * strength(documents[i][0]),
            _key(incident[i]),
        ),
    )
    chosen: list[Sample] = []
    authors: set[str] = set()
    kept: list[set[str]] = []
    for i in order:
        scored = incident[i]
        author = scored.comment.author_id
        if len(chosen) == top or scored.negative < _NEGATIVE:
            break
        if not scored.comment.text:  # it was erased
            continue
        found = documents[i][0]
        alike = any(2 * len(found & other) >= min(len(found), len(other)) for other in kept)
        if alike or (author is not None and author in authors):
            continue
        chosen.append(_sample(scored))
        kept.append(found)
        if author is not None:
            authors.add(author)
    return tuple(chosen)


def _sample(scored: ScoredComment) -> Sample:
    comment = scored.comment
    return Sample(
        platform=comment.platform,
        comment_id=comment.comment_id,
        post_id=comment.post_id,
        author_id=comment.author_id,
        text=comment.text,
        negative=scored.negative,
        offensive=scored.offensive,
        likes=comment.likes,
        created_at=comment.created_at.isoformat(),
    )


def _key(scored: ScoredComment) -> tuple[str, str]:
    return scored.comment.platform, scored.comment.comment_id
