"""One-minute windows of a KOL's stream in event time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WindowStats:
    """One minute of one KOL's stream, counted.

    Attributes:
        kol_id: whose stream.
        start: first instant of the minute, aware, UTC.
        comments: how many comments were written in it.
        negative: sum of P(negative) over them; near-duplicates that are more likely not negative
            add nothing, see :mod:`monitoring.counting`.
        positive: sum of P(positive) over them.
        authors: distinct authors; None where authors are not known.
        new_authors: authors not seen before under this KOL; None where not known. Windows that
            the engine counts itself leave it so (docs/decisions.md).
        top_author_share: share of the comments by the busiest author; None where not known.
        duplicate_share: share of the comments that nearly repeat another; None where not known.
    """

    kol_id: str
    start: datetime
    comments: int
    negative: float
    positive: float
    authors: int | None = None
    new_authors: int | None = None
    top_author_share: float | None = None
    duplicate_share: float | None = None
