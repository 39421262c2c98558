"""Simulates one KOL: 56 days of minutes with crises and hard negatives."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from benchmarks.crisis import protocol, shapes
from benchmarks.crisis.limit import limit_delay
from benchmarks.crisis.protocol import MINUTES, MINUTES_PER_DAY, Tier
from benchmarks.crisis.shapes import Added

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)  # the time of minute 0

Counts = NDArray[np.int64]
Rates = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SimulatedIncident:
    """A crisis or hard negative in a stream.

    Attributes:
        kind: one of protocol.CRISES or protocol.HARD_NEGATIVES.
        crisis: whether it should page.
        start: its first minute.
        end: the minute after its last.
        limit: delay in minutes of a test that knows rates and onset; None for a hard negative, or
            if the test misses it.
    """

    kind: str
    crisis: bool
    start: int
    end: int
    limit: float | None


@dataclass(frozen=True, slots=True)
class Truth:
    """The true classes of a stream's comments, for the text level.

    Attributes:
        negative: truly negative comments per minute, shape (MINUTES,).
        positive: truly positive comments per minute.
        added_negative: probability that a negative comment belongs to an incident.
        added_other: the same for the other comments.
    """

    negative: Counts
    positive: Counts
    added_negative: Rates
    added_other: Rates


@dataclass(frozen=True, slots=True)
class Stream:
    """Counts per minute, as predicted by a classifier with the protocol's errors.

    Attributes:
        kol: "nano-0" …
        tier: its tier's name.
        comments: per minute, shape (MINUTES,).
        negative: comments predicted negative.
        positive: comments predicted positive.
        incidents: in order of time.
        truth: the true classes; None for streams made by hand.
    """

    kol: str
    tier: str
    comments: Counts
    negative: Counts
    positive: Counts
    incidents: tuple[SimulatedIncident, ...]
    truth: Truth | None = None


def kernel() -> Rates:
    """Share of a post's comments by its age in minutes; sums to 1."""
    age = np.arange(protocol.KERNEL_DAYS * MINUTES_PER_DAY, dtype=float)
    shape = np.maximum(age / protocol.KERNEL_FLAT, 1.0) ** -protocol.KERNEL_EXPONENT
    return shape / shape.sum()


_KERNEL = kernel()


def generate(seed: int, index: int, tier: Tier) -> Stream:
    """The stream of KOL `index` for `seed`. Equal arguments give equal streams."""
    rng = np.random.default_rng([seed, index])
    per_minute = tier.comments * np.exp(rng.normal(0, 0.4)) / MINUTES_PER_DAY
    offset = int(rng.integers(0, MINUTES_PER_DAY))  # the KOL's time zone
    season = _season(offset)
    noise = _noise(rng)
    mood = float(np.clip(rng.beta(6, 34), 0.02, 0.6))
    normal = protocol.BACKGROUND * per_minute * np.ones(MINUTES)
    dark = normal * mood
    for start, size, share in _posts(rng, per_minute, season, mood):
        _add_post(normal, dark, start, size, share)
    plan = _plan(rng, offset)
    for kind, start in plan:
        if kind == "viral":
            share = rng.beta(mood * protocol.POST_KAPPA, (1 - mood) * protocol.POST_KAPPA)
            _add_post(normal, dark, start, per_minute * 1440 * rng.uniform(3, 12), share)
    normal *= season * noise
    dark *= season * noise
    bright = 0.5 * (normal - dark)
    total, negative, positive = normal.copy(), dark.copy(), bright.copy()
    incidents = []
    for kind, start in plan:
        peak = rng.uniform(*tier.peak)
        added = _shape(kind, rng, tier, peak, per_minute)
        end = min(start + (added.minutes if added else 360), MINUTES)
        part = slice(start, end)
        limit = None
        if added is not None:
            _apply(added, part, per_minute, noise, total, negative, positive)
        incidents.append((kind, start, end))
    n, k, positives, truly_negative, truly_positive = _draw(rng, total, negative, positive)
    truth = Truth(
        truly_negative,
        truly_positive,
        _added(dark, negative),
        _added(normal - dark, total - negative),
    )
    done = []
    for kind, start, end in incidents:
        crisis = kind in protocol.CRISES
        limit = None
        if crisis:
            part = slice(start, end)
            limit = limit_delay(
                n[part], k[part], normal[part], dark[part], total[part], negative[part]
            )
        elif kind == "outage":
            before = n.copy()
            end = _outage(rng, start, n, k, positives)
            _move_truth(np.random.default_rng([seed, index, start]), start, end, before, n, truth)
        done.append(SimulatedIncident(kind, crisis, start, end, limit))
    return Stream(
        f"{tier.name}-{index}",
        tier.name,
        n,
        k,
        positives,
        tuple(sorted(done, key=lambda incident: incident.start)),
        truth,
    )


def _season(offset: int) -> Rates:
    """Two peaks per day in the KOL's time zone, with more comments at weekends; mean 1."""
    minute = np.arange(MINUTES) + offset
    clock = minute % MINUTES_PER_DAY / 60
    humps = 0.25 + np.exp(-(((clock - 12.5) / 2.5) ** 2) / 2)
    humps += 1.4 * np.exp(-(((clock - 20.5) / 2.2) ** 2) / 2)
    weekend = minute // MINUTES_PER_DAY % 7 >= 5
    humps[weekend] *= protocol.WEEKEND
    return humps / humps.mean()


def _noise(rng: np.random.Generator) -> Rates:
    """Exponential of an Ornstein-Uhlenbeck process; mean 1."""
    keep = np.exp(-1 / protocol.NOISE_MINUTES)
    shocks = rng.normal(0, np.sqrt(1 - keep**2), MINUTES)
    path = protocol.NOISE_SIGMA * lfilter([1.0], [1.0, -keep], shocks)
    return np.exp(path - protocol.NOISE_SIGMA**2 / 2)


def _posts(
    rng: np.random.Generator, per_minute: float, season: Rates, mood: float
) -> list[tuple[int, float, float]]:
    per_day = float(rng.choice(protocol.POSTS_PER_DAY))
    count = rng.poisson(per_day * protocol.DAYS)
    starts = rng.choice(MINUTES, size=count, p=season / season.sum())
    mean = (1 - protocol.BACKGROUND) * per_minute * MINUTES_PER_DAY / per_day
    sigma = protocol.SIZE_SIGMA
    sizes = mean * np.exp(rng.normal(-(sigma**2) / 2, sigma, count))
    viral = rng.random(count) < protocol.VIRAL
    sizes[viral] *= np.minimum(1 + rng.pareto(protocol.VIRAL_TAIL, viral.sum()), 50)
    kappa = protocol.POST_KAPPA
    shares = rng.beta(mood * kappa, (1 - mood) * kappa, count)
    return list(zip(starts.tolist(), sizes.tolist(), shares.tolist(), strict=True))


def _add_post(normal: Rates, dark: Rates, start: int, size: float, share: float) -> None:
    part = _KERNEL[: MINUTES - start] * size
    normal[start : start + len(part)] += part
    dark[start : start + len(part)] += part * share


def _plan(rng: np.random.Generator, offset: int) -> list[tuple[str, int]]:
    """Kinds and starts: one incident per week after the warm-up, at least 3 days apart."""
    kinds = [str(kind) for kind in rng.choice(protocol.CRISES, protocol.CRISES_PER_KOL)]
    kinds += [
        str(kind)
        for kind in rng.choice(
            protocol.HARD_NEGATIVES, protocol.HARD_NEGATIVES_PER_KOL, replace=False
        )
    ]
    rng.shuffle(kinds)
    plan = []
    for week, kind in enumerate(kinds):
        first = (protocol.WARM_UP_DAYS + 7 * week) * MINUTES_PER_DAY
        start = first + int(rng.uniform(0.5, 4) * MINUTES_PER_DAY)
        if kind == "night":
            local = (start + offset) % MINUTES_PER_DAY
            start += (3 * 60 - local) % MINUTES_PER_DAY
        plan.append((kind, start))
    return plan


def _shape(
    kind: str, rng: np.random.Generator, tier: Tier, peak: float, per_minute: float
) -> Added | None:
    if kind in ("flash", "night"):
        return shapes.flash(rng, peak)
    if kind == "aftershock":
        return shapes.aftershock(rng, peak)
    if kind == "slow":
        return shapes.slow(rng, peak)
    if kind == "flip":
        return shapes.flip(rng)
    if kind == "brigade":
        return shapes.brigade(rng, tier, per_minute)
    if kind == "praise":
        return shapes.praise(rng, peak)
    if kind == "spam":
        return shapes.spam(rng, tier, per_minute)
    if kind == "giveaway":
        return shapes.giveaway(rng, peak)
    return None  # viral is a post, and an outage moves counts


def _apply(
    added: Added,
    part: slice,
    per_minute: float,
    noise: Rates,
    total: Rates,
    negative: Rates,
    positive: Rates,
) -> None:
    if added.turn is not None:
        target, way = added.turn
        before = negative[part] / total[part]
        share = before + (target - before) * way[: part.stop - part.start]
        total[part] *= added.volume
        rest = total[part] - share * total[part]
        positive[part] = 0.5 * rest
        negative[part] = share * total[part]
        return
    rate = added.rate[: part.stop - part.start] * per_minute * noise[part]
    total[part] += rate
    negative[part] += rate * added.negative
    positive[part] += rate * added.positive


def _draw(
    rng: np.random.Generator, total: Rates, negative: Rates, positive: Rates
) -> tuple[Counts, Counts, Counts, Counts, Counts]:
    """Draw the number of comments, their predicted and their true classes."""
    dark = rng.poisson(negative)
    bright = rng.poisson(positive)
    plain = rng.poisson(np.maximum(total - negative - positive, 0))
    n = dark + bright + plain
    k = rng.binomial(dark, protocol.HIT_RATE) + rng.binomial(
        bright + plain, protocol.FALSE_LABEL_RATE
    )
    positives = rng.binomial(bright, 0.8)
    return n, k, np.minimum(positives, n - k), dark, bright


def _added(normal: Rates, total: Rates) -> Rates:
    """Share of the comments that an incident added, per minute."""
    return np.clip(1 - normal / np.maximum(total, 1e-12), 0.0, 1.0)


def _outage(rng: np.random.Generator, start: int, n: Counts, k: Counts, positives: Counts) -> int:
    """Remove 30 to 240 minutes and deliver them within the next 5; returns the end."""
    length = int(rng.uniform(30, 240))
    stop = start + length
    for counts in (n, k, positives):
        backlog = int(counts[start:stop].sum())
        counts[start:stop] = 0
        counts[stop : stop + 5] += rng.multinomial(backlog, np.full(5, 0.2))
    np.minimum(k, n, out=k)
    np.minimum(positives, n - k, out=positives)
    return stop + 5


def _move_truth(
    rng: np.random.Generator, start: int, end: int, before: Counts, n: Counts, truth: Truth
) -> None:
    """Move the true classes of an outage's comments to their delivery."""
    silent, burst = slice(start, end - 5), slice(end - 5, end)
    moved = n[burst] - before[burst]
    dark = rng.multivariate_hypergeometric(moved, int(truth.negative[silent].sum()))
    bright = rng.multivariate_hypergeometric(moved - dark, int(truth.positive[silent].sum()))
    for counts, part in ((truth.negative, dark), (truth.positive, bright)):
        counts[silent] = 0
        counts[burst] += part
