"""KOLs of the crisis benchmark as single comments, in the order in which they are received."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from benchmarks.crisis import protocol
from benchmarks.crisis.comments import Pool
from benchmarks.crisis.delivery import deliver
from benchmarks.crisis.stream import EPOCH, Stream, generate
from monitoring.events import Comment

_AFTER = timedelta(hours=30)


@dataclass(frozen=True, slots=True)
class LateKol:
    """A KOL of the crisis benchmark with its comments.

    Attributes:
        stream: its counts and incidents; those after the last day are left out.
        days: how many of its days are used.
        comments: oldest first; the last one comes a day after all others, so that all that
            happened is over.
    """

    stream: Stream
    days: int
    comments: Sequence[Comment]

    @property
    def weeks(self) -> float:
        """Weeks after the warm-up."""
        return max(self.days - protocol.WARM_UP_DAYS, 0) / 7


def kols(
    seed: int, pool: Pool, counts: Mapping[str, int], days: Mapping[str, int]
) -> list[LateKol]:
    """The first KOLs of each tier.

    Args:
        seed: of the crisis benchmark.
        pool: the source of the texts.
        counts: KOLs per tier.
        days: days per tier, at most `protocol.DAYS`.
    """
    return [
        _kol(seed, place + len(protocol.TIERS) * number, pool, days[tier.name])
        for place, tier in enumerate(protocol.TIERS)
        for number in range(counts.get(tier.name, 0))
    ]


def _kol(seed: int, index: int, pool: Pool, days: int) -> LateKol:
    stream = generate(seed, index, protocol.TIERS[index % len(protocol.TIERS)])
    delivery = deliver(stream, pool, np.random.default_rng([seed, index, 2]))
    end = days * protocol.MINUTES_PER_DAY
    used = int(np.searchsorted(delivery.created, 60.0 * end))
    comments = [
        Comment(
            platform="simulated",
            comment_id=str(number),
            kol_id=stream.kol,
            text=pool.texts[row],
            created_at=EPOCH + timedelta(seconds=created),
            author_id=str(author),
        )
        for number, (created, row, author) in enumerate(
            zip(
                delivery.created[:used].tolist(),
                delivery.text[:used].tolist(),
                delivery.author[:used].tolist(),
                strict=True,
            )
        )
    ]
    closing = EPOCH + timedelta(minutes=end) + _AFTER
    text = pool.texts[int(pool.rows["positive"][0])]
    comments.append(Comment("simulated", "last", stream.kol, text, closing))
    incidents = tuple(
        replace(one, end=min(one.end, end)) for one in stream.incidents if one.start < end
    )
    return LateKol(replace(stream, incidents=incidents), days, comments)


def received(
    kols: Sequence[LateKol], *, delay: float, poll: int, seed: int
) -> Iterator[tuple[int, list[Comment]]]:
    """What senders send at each poll, in the order in which it became known to them.

    Args:
        kols: whose comments.
        delay: each comment comes up to so many minutes after it was written, drawn uniformly;
            the last one of each KOL comes promptly.
        poll: minutes between two polls.
        seed: of the delays.

    Yields:
        Minute since `EPOCH`, and the comments.
    """
    rng = np.random.default_rng([seed, 9])
    comments = [comment for kol in kols for comment in kol.comments]
    written = np.array([(one.created_at - EPOCH).total_seconds() for one in comments])
    minutes = delay * rng.random(len(comments))
    minutes[np.cumsum([len(kol.comments) for kol in kols]) - 1] = 0.0
    arrival = written + 60.0 * minutes
    order = np.argsort(arrival, kind="stable")
    polls = np.ceil(arrival[order] / (60.0 * poll)).astype(int)
    first = 0
    for number in range(1, int(polls[-1]) + 1):
        last = int(np.searchsorted(polls, number, side="right"))
        yield number * poll, [comments[index] for index in order[first:last].tolist()]
        first = last
