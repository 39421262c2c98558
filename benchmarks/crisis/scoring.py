"""Compares pages with incidents: crises caught, their delays, and false pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.crisis import protocol
from benchmarks.crisis.stream import SimulatedIncident, Stream

_TAIL = 24 * 60  # minutes after a crisis in which a page still belongs to it
_HARD_TAIL = 60  # minutes after a hard negative in which it is the cause of a page


@dataclass(frozen=True, slots=True)
class Caught:
    """One crisis and whether it was caught.

    Attributes:
        kol: the KOL.
        tier: the KOL's tier.
        kind: the shape of the crisis.
        delay: minutes from its first minute to the end of the minute that paged; None if missed.
        pages: pages during it, and false pages within a day after it.
        aftershocks: second waves reported without a page, in the same period.
        limit: the delay of the limit; None if the limit misses the crisis.
        resolve_error: minutes from its end to the resolution, negative if too early; None if it was
            missed or the detector does not resolve.
    """

    kol: str
    tier: str
    kind: str
    delay: float | None
    pages: int
    aftershocks: int
    limit: float | None
    resolve_error: float | None = None


@dataclass(frozen=True, slots=True)
class FalsePage:
    """A page outside all crises.

    Attributes:
        kol: the KOL.
        tier: the KOL's tier.
        minute: the minute of the page.
        cause: "tail" within a day after a crisis, the kind of a hard negative, or "normal".
    """

    kol: str
    tier: str
    minute: int
    cause: str


@dataclass(frozen=True, slots=True)
class KolOutcome:
    """The result of one detector on one KOL after the warm-up."""

    caught: tuple[Caught, ...]
    false: tuple[FalsePage, ...]


def judge(
    stream: Stream,
    pages: Sequence[int],
    resolutions: Sequence[tuple[int, int]] = (),
    aftershocks: Sequence[int] = (),
) -> KolOutcome:
    """Judge the pages of one detector on one stream.

    Args:
        stream: the stream with its incidents.
        pages: ends of the minutes with a page (minute + 1), in order.
        resolutions: (page, resolution) pairs in minutes, if the detector resolves.
        aftershocks: minutes in which it reported a second wave without a page.
    """
    warm = protocol.WARM_UP_DAYS * protocol.MINUTES_PER_DAY
    pages = [page for page in pages if page > warm]
    crises = [incident for incident in stream.incidents if incident.crisis]
    caught = []
    claimed = set()
    for crisis in crises:
        inside = [page for page in pages if crisis.start < page <= crisis.end]
        after = [page for page in pages if crisis.end < page <= crisis.end + _TAIL]
        waves = [minute for minute in aftershocks if crisis.start < minute <= crisis.end + _TAIL]
        claimed.update(inside)
        error = None
        if inside:
            ends = [end for page, end in resolutions if crisis.start < page <= crisis.end]
            error = float(ends[-1] - crisis.end) if ends else None
        caught.append(
            Caught(
                kol=stream.kol,
                tier=stream.tier,
                kind=crisis.kind,
                delay=float(inside[0] - crisis.start) if inside else None,
                pages=len(inside) + len(after) if inside else 0,
                aftershocks=len(waves) if inside else 0,
                limit=crisis.limit,
                resolve_error=error,
            )
        )
    false = tuple(
        FalsePage(stream.kol, stream.tier, page, _cause(stream.incidents, page))
        for page in pages
        if page not in claimed
    )
    return KolOutcome(tuple(caught), false)


def _cause(incidents: Sequence[SimulatedIncident], page: int) -> str:
    for incident in incidents:
        if incident.crisis and incident.end < page <= incident.end + _TAIL:
            return "tail"
        if not incident.crisis and incident.start < page <= incident.end + _HARD_TAIL:
            return incident.kind
    return "normal"
