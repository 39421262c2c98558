"""One-hour sums of a KOL's stream: what the baseline and the slow detectors learn from."""

import msgspec


class Hour(msgspec.Struct, array_like=True):
    """One hour of one KOL's stream, summed as its minutes come in.

    Attributes:
        number: hours since 1970 UTC.
        comments: how many.
        negative: sum of P(negative).
        positive: sum of P(positive).
        active: minutes with at least one comment.
        excess: comments beyond the normal volume.
        scatter: sum over its active minutes of (k - np)² / (np(1 - p)), with k the sum of
            P(negative) over n comments and p the normal share.
        bright_scatter: the same for P(positive) over what is not negative.
        tainted: it belongs to an incident and is no example of what is normal.
    """

    number: int
    comments: int = 0
    negative: float = 0.0
    positive: float = 0.0
    active: int = 0
    excess: float = 0.0
    scatter: float = 0.0
    bright_scatter: float = 0.0
    tainted: bool = False
