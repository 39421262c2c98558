"""Who writes: long-standing fans or newcomers, a crowd or a few, and who changed their mind."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitoring.events import ScoredComment
from monitoring.near_duplicates import RecentTexts, signature

_NEGATIVE = 0.5  # P(negative) from which a comment or an author counts as negative
_LOYAL = 0.5  # mean P(positive) of earlier comments from which their author is loyal
_BUSIEST = 5
# From these near-duplicate shares, or these shares of the five busiest where accounts write
# this many comments on average, the crowd is called coordinated or mixed.
_COORDINATED = (0.4, 0.6, 3.0)
_MIXED = (0.15, 0.3, 2.0)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who writes. Shares are of the incident's comments, in [0, 1]; None where not known.

    A regular is an author whom the baseline holds too, a newcomer one whom it does not. The shares
    of regulars, now and before, are of the same people's comments, so the comparison does not
    depend on how far back the baseline reaches.

    Attributes:
        authors: distinct authors.
        top_author_share: by the busiest author.
        top_five_share: by the five busiest.
        newcomer_share: by authors the baseline does not hold.
        turned_share: negative comments by authors whose baseline comments were mostly not
            negative.
        near_duplicate_share: that nearly repeat another one of the incident.
        verdict: "organic", "mixed" or "coordinated".
        reasons: the figures behind the verdict, in words.
        regulars: distinct regulars.
        loyal: regulars whose earlier comments were mostly positive.
        loyal_turned: of the loyal, those who write mostly negative comments now …
        loyal_defending: … and those who still write mostly positive ones.
        regular_negative: mean P(negative) of the regulars' comments …
        regular_negative_usual: … and of their earlier ones.
        regular_positive: mean P(positive) of the regulars' comments …
        regular_positive_usual: … and of their earlier ones.
        newcomer_negative: mean P(negative) of the newcomers' comments.
    """

    authors: int | None
    top_author_share: float | None
    top_five_share: float | None
    newcomer_share: float | None
    turned_share: float | None
    near_duplicate_share: float
    verdict: str
    reasons: tuple[str, ...]
    regulars: int | None = None
    loyal: int | None = None
    loyal_turned: int | None = None
    loyal_defending: int | None = None
    regular_negative: float | None = None
    regular_negative_usual: float | None = None
    regular_positive: float | None = None
    regular_positive_usual: float | None = None
    newcomer_negative: float | None = None


def audience_of(incident: Sequence[ScoredComment], baseline: Sequence[ScoredComment]) -> Audience:
    """Who writes the incident's comments, by what they and others wrote before it.

    Args:
        incident: comments from the incident's start to the event; may be empty.
        baseline: comments before it, as many as are at hand; may be empty.
    """
    texts = RecentTexts([])
    copies = sum(texts.add(signature(scored.comment.text)) for scored in incident)
    duplicates = copies / len(incident) if incident else 0.0
    authors = [scored.comment.author_id for scored in incident]
    known = [author for author in authors if author is not None]
    if not incident or len(known) < len(authors):
        verdict, reasons = _verdict(duplicates, 0.0, 1.0, None)
        return Audience(None, None, None, None, None, duplicates, verdict, reasons)
    busy = Counter(known).most_common(_BUSIEST)
    history, present = _by_author(baseline), _by_author(incident)
    dark = [scored for scored in incident if scored.negative >= _NEGATIVE]
    turned = sum(
        (before := history.get(scored.comment.author_id or "")) is not None
        and before.negative < _NEGATIVE
        for scored in dark
    )
    total = len(known)
    five = sum(count for _, count in busy) / total
    newcomers = sum(author not in history for author in known) / total if history else None
    verdict, reasons = _verdict(duplicates, five, total / len(present), newcomers)
    audience = Audience(
        authors=len(present),
        top_author_share=busy[0][1] / total,
        top_five_share=five,
        newcomer_share=newcomers,
        turned_share=turned / len(dark) if dark and history else None,
        near_duplicate_share=duplicates,
        verdict=verdict,
        reasons=reasons,
    )
    return _with_regulars(audience, present, history) if history else audience


@dataclass(frozen=True, slots=True)
class _Mood:
    """What one author wrote: how many comments, and the means of their probabilities."""

    comments: int
    negative: float
    positive: float


def _by_author(comments: Sequence[ScoredComment]) -> dict[str, _Mood]:
    groups: defaultdict[str, list[ScoredComment]] = defaultdict(list)
    for scored in comments:
        if scored.comment.author_id is not None:
            groups[scored.comment.author_id].append(scored)
    return {author: _mood(wrote) for author, wrote in groups.items()}


def _mood(wrote: Sequence[ScoredComment]) -> _Mood:
    n = len(wrote)
    negative = sum(scored.negative for scored in wrote) / n
    return _Mood(n, negative, sum(scored.positive for scored in wrote) / n)


def _with_regulars(
    audience: Audience, present: dict[str, _Mood], history: dict[str, _Mood]
) -> Audience:
    """The audience with the figures of the regulars, now and before."""
    now = {author: mood for author, mood in present.items() if author in history}
    before = {author: history[author] for author in now}
    loyal = [now[author] for author, mood in before.items() if mood.positive >= _LOYAL]
    new = [mood for author, mood in present.items() if author not in history]
    return replace(
        audience,
        regulars=len(now),
        loyal=len(loyal),
        loyal_turned=sum(mood.negative >= _NEGATIVE for mood in loyal),
        loyal_defending=sum(mood.positive >= _LOYAL for mood in loyal),
        regular_negative=_pooled([(mood.comments, mood.negative) for mood in now.values()]),
        regular_negative_usual=_pooled([(m.comments, m.negative) for m in before.values()]),
        regular_positive=_pooled([(mood.comments, mood.positive) for mood in now.values()]),
        regular_positive_usual=_pooled([(m.comments, m.positive) for m in before.values()]),
        newcomer_negative=_pooled([(mood.comments, mood.negative) for mood in new]),
    )


def _pooled(means: Sequence[tuple[int, float]]) -> float | None:
    """The mean over all comments from the authors' own counts and means."""
    n = sum(count for count, _ in means)
    return sum(count * mean for count, mean in means) / n if n else None


def _verdict(
    duplicates: float, five: float, each: float, newcomers: float | None
) -> tuple[str, tuple[str, ...]]:
    reasons = [f"{duplicates:.0%} of the comments nearly repeat another comment"]
    if five:
        reasons.append(
            f"the five busiest accounts wrote {five:.0%} of them; on average an account wrote "
            f"{each:.1f}"
        )
    if newcomers is not None:
        reasons.append(f"{newcomers:.0%} come from accounts not seen before")
    for verdict, (copies, top, busy) in (("coordinated", _COORDINATED), ("mixed", _MIXED)):
        if duplicates >= copies or (five >= top and each >= busy):
            return verdict, tuple(reasons)
    return "organic", tuple(reasons)
