"""Takes copies of comments out of the stored evidence of alerts. Pure."""

from collections.abc import Callable
from typing import Any

Sample = dict[str, Any]  # as `monitoring.drivers.Sample` is stored
_LISTS = ("representative", "most_liked")


def samples_of(evidence: dict[str, Any] | None) -> list[Sample]:
    """The copies of comments that evidence holds; one comment may be there twice."""
    drivers = (evidence or {}).get("drivers") or {}
    return [sample for name in _LISTS for sample in drivers.get(name, ())]


def without_samples(
    evidence: dict[str, Any] | None, goes: Callable[[Sample], bool]
) -> tuple[dict[str, Any] | None, int]:
    """Evidence without some of its samples, and how many went; all else is as it was."""
    gone = sum(map(goes, samples_of(evidence)))
    if evidence is None or not gone:
        return evidence, 0
    drivers = dict(evidence["drivers"])
    for name in _LISTS:
        drivers[name] = [sample for sample in drivers.get(name, ()) if not goes(sample)]
    return evidence | {"drivers": drivers}, gone


def with_author_ids(
    evidence: dict[str, Any] | None, rename: Callable[[str], str]
) -> tuple[dict[str, Any] | None, int]:
    """Evidence whose samples have other author ids, and how many changed."""
    named = [sample for sample in samples_of(evidence) if sample["author_id"] is not None]
    changed = sum(rename(sample["author_id"]) != sample["author_id"] for sample in named)
    if evidence is None or not changed:
        return evidence, 0
    drivers = dict(evidence["drivers"])
    for name in _LISTS:
        drivers[name] = [
            sample | {"author_id": sample["author_id"] and rename(sample["author_id"])}
            for sample in drivers.get(name, ())
        ]
    return evidence | {"drivers": drivers}, changed
