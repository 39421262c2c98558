"""The detectors there are. Each module of this folder registers its own.

To add a detector, add a module here that calls `register`. Nothing else names it: the monitor of
its family consults it, its state goes into the snapshot, the contract suite runs on it.
"""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import msgspec

from monitoring.detectors.base import HourDetector, MinuteDetector
from monitoring.kinds import AlertFamily

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class DetectorType(Generic[S]):
    """A detector of a family of alerts. It learns minutes or hours: exactly one of the two.

    Attributes:
        name: as evidence and documentation call it; one word in snake_case.
        family: whose monitor consults it.
        state: type of what it knows.
        minutes: makes one that learns minutes, from a state or, with None, afresh.
        hours: makes one that learns hours; the backlash family only, as the others see no hours.
    """

    name: str
    family: AlertFamily
    state: type[S]
    minutes: Callable[[S | None], MinuteDetector] | None = None
    hours: Callable[[S | None], HourDetector] | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.hours is None):
            raise ValueError(f"detector {self.name!r} must learn either minutes or hours")
        if self.hours is not None and self.family is not AlertFamily.BACKLASH:
            raise ValueError(f"detector {self.name!r}: the {self.family} family sees no hours")


_TYPES: dict[str, DetectorType[Any]] = {}


def register(detector_type: DetectorType[S]) -> DetectorType[S]:
    """Add a detector to the table.

    Raises:
        ValueError: another detector has that name.
    """
    if detector_type.name in _TYPES:
        raise ValueError(f"there are two detectors named {detector_type.name!r}")
    _TYPES[detector_type.name] = detector_type
    return detector_type


def detector_types(family: AlertFamily | None = None) -> Mapping[str, DetectorType[Any]]:
    """The detectors by name, of one family or of all: those of minutes first, then by name."""
    _import_modules()
    chosen = [one for one in _TYPES.values() if family is None or one.family is family]
    chosen.sort(key=lambda one: (one.minutes is None, one.name))
    return MappingProxyType({one.name: one for one in chosen})


@cache
def _import_modules() -> None:
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")
