"""What an alert may not have seen yet, because a platform's comments arrive late."""

from collections.abc import Iterator, Sequence

from serving.locales.quoting import harmless
from serving.locales.wording import Wording
from serving.storage.source_delay import LateSource

_MOST = 3
_LONGEST = 40  # characters of a platform's name


def missing(sources: Sequence[LateSource], words: Wording) -> Iterator[str]:
    """A sentence for each late platform, the slowest first; at most three."""
    for source in sources[:_MOST]:
        same_day = words.day(source.since) == words.day(source.now)
        yield words.text(
            "Comments from {platform} usually arrive {delay} late, so what was written there since "
            "{moment} may be missing.",
            platform=harmless(source.platform, _LONGEST),
            delay=words.span_range(source.least, source.most),
            moment=words.clock(source.since) if same_day else words.moment(source.since),
        )
