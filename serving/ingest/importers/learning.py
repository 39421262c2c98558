"""What is missing before a KOL can be judged."""

from datetime import timedelta

from serving.storage.import_record import KolSpan

_SPAN = timedelta(days=2)  # of comments, before a KOL is judged
_COMMENTS = 20


def missing_for(span: KolSpan, *, learning: bool) -> str | None:
    """What a KOL still needs, in words; None if it is judged.

    Args:
        span: its comments in an import.
        learning: whether the detectors say that they know too little.
    """
    if not learning:
        return None
    wanted = []
    if span.last - span.first < _SPAN:
        hours = (span.last - span.first) / timedelta(hours=1)
        wanted.append(f"two days of comments (these cover {hours:.0f} hours)")
    if span.comments < _COMMENTS:
        wanted.append(f"{_COMMENTS} comments (these are {span.comments})")
    return " and ".join(wanted) or "comments at more hours of the day"
