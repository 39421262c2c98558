"""Authors, texts and arrival times of comments: late, out of order, or duplicated."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.crisis import protocol
from benchmarks.crisis.comments import CLASSES, Pool
from benchmarks.crisis.stream import EPOCH, SimulatedIncident, Stream
from monitoring.events import Comment, ScoredComment

PROMPT_SECONDS = 15.0  # mean delay of a comment that arrives promptly (exponential)
SLOW_SECONDS = 90.0  # mean delay of a delayed comment, which arrives out of order
SLOW = 0.08  # share of delayed comments
LATE = 0.02  # share of comments that arrive 5 to 120 minutes late
LATE_SECONDS = (5 * 60.0, 120 * 60.0)
REPEATED = 0.015  # share of comments that are delivered twice
REPEATED_SECONDS = 600.0  # mean delay of the second delivery (exponential)

ZIPF = 1.1  # exponent: an author's share of the comments by rank
AUDIENCE_DAYS = 10.0  # the audience is as large as the number of comments in this many days
SMALLEST_AUDIENCE = 50
BRIGADE_ACCOUNTS = (15, 41)
BRIGADE_TEXTS = (3, 7)  # texts that a brigade repeats
SPAM_ACCOUNTS = (3, 9)
SPAM_TEXTS = (1, 2)

Seconds = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ArrivingStream:
    """All comments of one KOL; arrays of equal length, in order of creation.

    Attributes:
        kol: the KOL.
        pool: the source of the texts.
        created: creation time, in seconds since `EPOCH`.
        text: row in the pool.
        author: a number; campaigns have numbers above the size of the audience.
        order: indices of the comments in order of arrival, duplicates included.
        arrival: arrival times in seconds since `EPOCH`, ascending, as long as `order`.
    """

    kol: str
    pool: Pool
    created: Seconds
    text: Rows
    author: Rows
    order: Rows
    arrival: Seconds

    def comments(self) -> Iterator[tuple[float, ScoredComment]]:
        """Yield arrival time (seconds since `EPOCH`) and comment."""
        texts, scores, kol = self.pool.texts, self.pool.scores.tolist(), self.kol
        created, rows, authors = self.created, self.text, self.author
        for arrival, index in zip(self.arrival.tolist(), self.order.tolist(), strict=True):
            row = int(rows[index])
            comment = Comment(
                platform="simulated",
                comment_id=str(index),
                kol_id=kol,
                text=texts[row],
                created_at=EPOCH + timedelta(seconds=float(created[index])),
                author_id=str(authors[index]),
            )
            yield arrival, ScoredComment(comment, *scores[row])


def deliver(stream: Stream, pool: Pool, rng: np.random.Generator) -> ArrivingStream:
    """Turn a stream's counts into comments.

    Args:
        stream: must have its truth.
        pool: the audience's comments.
        rng: this KOL's generator.

    Raises:
        ValueError: the stream has no truth.
    """
    truth = stream.truth
    if truth is None:
        raise ValueError(f"{stream.kol} has no truth")
    minutes = np.arange(len(stream.comments))
    per_class = {
        "negative": truth.negative,
        "neutral": stream.comments - truth.negative - truth.positive,
        "positive": truth.positive,
    }
    minute = np.concatenate([np.repeat(minutes, per_class[label]) for label in CLASSES])
    text = np.concatenate(
        [rng.choice(pool.rows[label], int(per_class[label].sum())) for label in CLASSES]
    )
    counts = [int(per_class[label].sum()) for label in CLASSES]
    label = np.repeat(np.arange(len(CLASSES)), counts)
    author = _authors(rng, stream, len(minute))
    for incident in stream.incidents:
        if incident.kind == "brigade":
            mine = _added(rng, incident, minute, label == 0, truth.added_negative)
            bases = _bases(rng, pool.copies["negative"], BRIGADE_TEXTS)
            _campaign(rng, mine, bases, BRIGADE_ACCOUNTS, text, author)
        elif incident.kind == "spam":
            mine = _added(rng, incident, minute, label == 1, truth.added_other)
            bases = _bases(rng, pool.copies["neutral"], SPAM_TEXTS)
            _campaign(rng, mine, bases, SPAM_ACCOUNTS, text, author)
    created = np.floor(60.0 * (minute + rng.random(len(minute))))
    by_time = np.argsort(created, kind="stable")
    created, text, author = created[by_time], text[by_time], author[by_time]
    arrival, order = _arrivals(rng, created)
    return ArrivingStream(stream.kol, pool, created, text, author, order, arrival)


def _authors(rng: np.random.Generator, stream: Stream, count: int) -> Rows:
    """One author per comment, Zipf-distributed over the KOL's audience."""
    size = max(SMALLEST_AUDIENCE, int(AUDIENCE_DAYS * stream.comments.sum() / protocol.DAYS))
    weight = np.cumsum(np.arange(1, size + 1, dtype=float) ** -ZIPF)
    return np.searchsorted(weight, rng.random(count) * weight[-1])


def _added(
    rng: np.random.Generator,
    incident: SimulatedIncident,
    minute: Rows,
    of_class: NDArray[np.bool_],
    chance: NDArray[np.float64],
) -> Rows:
    """The comments of one class that an incident added."""
    inside = np.flatnonzero(of_class & (minute >= incident.start) & (minute < incident.end))
    return inside[rng.random(len(inside)) < chance[minute[inside]]]


def _bases(rng: np.random.Generator, copies: Rows, texts: tuple[int, int]) -> Rows:
    """A campaign's texts with all endings."""
    chosen = rng.choice(len(copies), int(rng.integers(*texts)), replace=False)
    return copies[chosen].ravel()


def _campaign(
    rng: np.random.Generator,
    mine: Rows,
    bases: Rows,
    accounts: tuple[int, int],
    text: Rows,
    author: Rows,
) -> None:
    """Assign comments to a few accounts and a few texts with different endings."""
    text[mine] = rng.choice(bases, len(mine))
    first = 1_000_000 * (1 + int(rng.integers(1_000)))  # above any audience
    author[mine] = first + rng.integers(0, int(rng.integers(*accounts)), len(mine))


def _arrivals(rng: np.random.Generator, created: Seconds) -> tuple[Seconds, Rows]:
    """Arrival times in order, and the index of the comment that arrives."""
    count = len(created)
    delay = rng.exponential(PROMPT_SECONDS, count)
    fate = rng.random(count)
    slow, late = fate < SLOW, fate > 1 - LATE
    delay[slow] = rng.exponential(SLOW_SECONDS, int(slow.sum()))
    delay[late] = rng.uniform(*LATE_SECONDS, int(late.sum()))
    again = np.flatnonzero(rng.random(count) < REPEATED)
    second = created[again] + delay[again] + rng.exponential(REPEATED_SECONDS, len(again))
    arrival = np.concatenate([created + delay, second])
    index = np.concatenate([np.arange(count), again])
    order = np.argsort(arrival, kind="stable")
    return arrival[order], index[order]
