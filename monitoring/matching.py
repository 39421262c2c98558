"""Compares the alerts of a KOL that were stored with those that a re-run derives."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

from monitoring.alerts import AlertEvent, other_id
from monitoring.errors import HistoryError
from monitoring.kinds import AlertFamily, AlertState, Reason, Severity

_WAVES = frozenset({Reason.OPENED, Reason.AFTERSHOCK, Reason.REOPENED})
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AlertTimeline:
    """One alert with all that happened to it.

    Attributes:
        alert_id: which alert.
        events: what happened, in order, at least one; no revisions.
    """

    alert_id: str
    events: tuple[AlertEvent, ...]

    @property
    def family(self) -> AlertFamily:
        """What it is about."""
        return self.events[0].kind.family

    @property
    def start(self) -> datetime:
        """When it began, as its first event says."""
        return self.events[0].evidence.incident_start

    @property
    def end(self) -> datetime | None:
        """When it was resolved; None while it lasts."""
        last = self.events[-1]
        return last.at if last.reason is Reason.RESOLVED else None

    @property
    def rises(self) -> list[AlertEvent]:
        """The events of its last wave, without the end."""
        found = list[AlertEvent]()
        for event in self.events:
            if event.reason in _WAVES:
                found = []
            if event.reason is not Reason.RESOLVED:
                found.append(event)
        return found

    @property
    def waves(self) -> int:
        """How many times it was opened."""
        return sum(event.reason in _WAVES for event in self.events)

    @property
    def severity(self) -> Severity:
        """The highest of its last wave."""
        return max((event.severity for event in self.rises), key=lambda severity: severity.rank)


@dataclass(frozen=True, slots=True)
class Matching:
    """Which stored incident is which derived one.

    Attributes:
        kept: pairs, stored and derived; the stored one's id stays.
        found: derived, and new.
        gone: stored, and no longer derived.
    """

    kept: Sequence[tuple[AlertTimeline, AlertTimeline]]
    found: Sequence[AlertTimeline]
    gone: Sequence[AlertTimeline]


@dataclass(frozen=True, slots=True)
class RevisedAlert:
    """An alert as a re-run derives it.

    Attributes:
        alert_id: under which it is known.
        events: all that happened to it, in order; empty if there was no incident after all.
        news: of that, what people are to know; a revision among them.
    """

    alert_id: str
    events: Sequence[AlertEvent]
    news: Sequence[AlertEvent]

    @property
    def ended_at(self) -> datetime | None:
        """When the incident ended; None while it lasts, and if there was none."""
        if not self.events or self.events[-1].reason is not Reason.RESOLVED:
            return None
        return self.events[-1].at

    @property
    def state(self) -> AlertState:
        """The alert's state after all that happened."""
        if not self.events:
            return AlertState.REVISED
        return AlertState.OPEN if self.ended_at is None else AlertState.RESOLVED


def compare(
    stored: Sequence[AlertTimeline],
    derived: Iterable[AlertEvent],
    known_as: Mapping[str, str],
    unchanged: datetime,
    now: datetime,
) -> tuple[list[RevisedAlert], dict[str, str]]:
    """What a re-run changes.

    Args:
        stored: the alerts that were open at `unchanged`, or to which something happened later.
        derived: what happens after `unchanged`, as the re-run derives it, under derived ids.
        known_as: derived id to the id under which an alert is known, where they differ.
        unchanged: up to this instant of event time nothing can have changed.
        now: when the re-run found it, by the clock.

    Returns:
        The alerts that are now otherwise, and under which ids alerts are known where `known_as`
        does not say so.

    Raises:
        HistoryError: an alert continues that is not stored.
    """
    timelines, derived_ids = _continued(stored, derived, known_as, unchanged)
    matching = match(stored, timelines)
    revised = list[RevisedAlert]()
    known = {timeline.alert_id: timeline.alert_id for timeline in timelines}
    for old, new in matching.kept:
        known[new.alert_id] = old.alert_id
        events = [replace(event, alert_id=old.alert_id) for event in new.events]
        events = _found_when(old.events, events, now)
        if tuple(events) != old.events:
            news = news_of_kept(old, AlertTimeline(old.alert_id, tuple(events)))
            revised.append(RevisedAlert(old.alert_id, events, _dated(news, now)))
    for new in matching.found:
        events = [replace(event, found_at=now) for event in new.events]
        news = news_of_found(AlertTimeline(new.alert_id, tuple(events)))
        revised.append(RevisedAlert(new.alert_id, events, _dated(news, now)))
    for old in matching.gone:
        revised.append(RevisedAlert(old.alert_id, (), _dated([news_of_gone(old)], now)))
    news_of_ids = {
        derived_id: known[here]
        for derived_id, here in derived_ids.items()
        if known[here] != known_as.get(derived_id, derived_id)
    }
    return revised, news_of_ids


def _continued(
    stored: Sequence[AlertTimeline],
    derived: Iterable[AlertEvent],
    known_as: Mapping[str, str],
    unchanged: datetime,
) -> tuple[list[AlertTimeline], dict[str, str]]:
    """The incidents as they are derived, each with what had happened to it by `unchanged`.

    An incident goes on if it is derived with anything but its opening: then it is the last of its
    family that had begun, for there is one at a time. One that opens takes the id under which it
    is known, unless another incident has it by now.

    Returns:
        The incidents, and for each derived id which of them it is.
    """
    found: dict[str, list[AlertEvent]] = {}
    begun: dict[AlertFamily, str] = {}
    for old in stored:
        if before := [event for event in old.events if event.at <= unchanged]:
            found[old.alert_id] = before
            last = begun.get(old.family)
            if last is None or found[last][0].at < before[0].at:
                begun[old.family] = old.alert_id
    ids: dict[str, str] = {}
    for event in derived:
        derived_id = event.alert_id
        if derived_id not in ids:
            here = begun.get(event.kind.family)
            if event.reason is Reason.OPENED:
                here = _free_id(derived_id, known_as, found)
            if here is None:
                raise HistoryError(
                    f"alert {derived_id} of {event.kol_id} was {event.reason} at "
                    f"{event.at.isoformat()}, but its beginning is not stored"
                )
            ids[derived_id] = here
        found.setdefault(ids[derived_id], []).append(replace(event, alert_id=ids[derived_id]))
    return [AlertTimeline(alert_id, tuple(events)) for alert_id, events in found.items()], ids


def _free_id(derived_id: str, known_as: Mapping[str, str], taken: Container[str]) -> str:
    """The id of an incident that opens: the one it is known as, else its own, else a new one."""
    wanted = known_as.get(derived_id, derived_id)
    for number in count():
        if wanted not in taken:
            return wanted
        wanted = derived_id if number == 0 else other_id(derived_id, number)
    raise AssertionError  # `count` has no end


def _found_when(
    stored: Sequence[AlertEvent], derived: Sequence[AlertEvent], now: datetime
) -> list[AlertEvent]:
    """The derived events: those that were stored alike were found then, the rest are found now.

    Alike is what has the same place after the same events, and what happened at the same time.
    """
    found, known = list[AlertEvent](), {(event.reason, event.at): event for event in stored}
    alike = True
    for place, event in enumerate(derived):
        old = stored[place] if place < len(stored) else None
        alike = alike and old is not None and old.reason is event.reason
        old = old if alike else known.get((event.reason, event.at))
        found.append(replace(event, found_at=now if old is None else old.found_at))
    return found


def _dated(news: Iterable[AlertEvent], now: datetime) -> list[AlertEvent]:
    """News with the instant at which they were found; a revision happens at that instant."""
    return [
        replace(event, found_at=now, at=now if event.reason is Reason.REVISED else event.at)
        for event in news
    ]


def timelines_of(events: Iterable[AlertEvent]) -> list[AlertTimeline]:
    """The incidents that events belong to, by their first event."""
    by_alert: dict[str, list[AlertEvent]] = {}
    for event in events:
        by_alert.setdefault(event.alert_id, []).append(event)
    return [AlertTimeline(alert_id, tuple(found)) for alert_id, found in by_alert.items()]


def match(stored: Sequence[AlertTimeline], derived: Sequence[AlertTimeline]) -> Matching:
    """Match incidents: those of one id, then those of one family that overlap most, each once."""
    left = {incident.alert_id: incident for incident in stored}
    kept, rest = list[tuple[AlertTimeline, AlertTimeline]](), list[AlertTimeline]()
    for incident in derived:
        if (same := left.pop(incident.alert_id, None)) is not None:
            kept.append((same, incident))
        else:
            rest.append(incident)
    overlaps = sorted(
        (
            (_overlap(old, new), old.start, old.alert_id, new.alert_id)
            for old in left.values()
            for new in rest
            if old.family is new.family and _overlap(old, new) > 0
        ),
        key=lambda found: (-found[0], *found[1:]),
    )
    new_by_id = {incident.alert_id: incident for incident in rest}
    for _, _, old_id, new_id in overlaps:
        if old_id in left and new_id in new_by_id:
            kept.append((left.pop(old_id), new_by_id.pop(new_id)))
    return Matching(kept, list(new_by_id.values()), list(left.values()))


def _overlap(one: AlertTimeline, other: AlertTimeline) -> float:
    """How many seconds two incidents have in common; one that lasts has no end."""
    ends = min(one.end or _NEVER, other.end or _NEVER)
    return (ends - max(one.start, other.start)).total_seconds()


def news_of_found(incident: AlertTimeline) -> list[AlertEvent]:
    """What people are to know of an incident that nobody knew: its last wave, and its end."""
    rises = incident.rises
    worst = max(rises, key=lambda event: event.severity.rank)
    opened = replace(worst, reason=Reason.OPENED)
    return [opened] if incident.end is None else [opened, incident.events[-1]]


def news_of_kept(stored: AlertTimeline, derived: AlertTimeline) -> list[AlertEvent]:
    """What people are to know of an incident that they knew otherwise.

    A new wave, a higher severity, an end, or that a reported end was none. Nothing if it only
    began or ended at another minute.
    """
    last = derived.events[-1]
    worst = max(derived.rises, key=lambda event: event.severity.rank)
    if derived.waves > stored.waves:
        wave = next(event for event in derived.rises if event.reason in _WAVES)
        news = [replace(worst, reason=wave.reason)]
        return [*news, last] if derived.end is not None else news
    if derived.end is not None:
        return [last] if stored.end is None else []
    if stored.end is not None:
        return [replace(worst, reason=Reason.REVISED)]
    if derived.severity.rank > stored.severity.rank:
        return [replace(worst, reason=Reason.ESCALATED)]
    return []


def news_of_gone(stored: AlertTimeline) -> AlertEvent:
    """What people are to know of an incident that was none."""
    return replace(stored.events[-1], reason=Reason.REVISED)
