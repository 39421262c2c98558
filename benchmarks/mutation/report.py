"""The result file, to which rooms are added as they are finished."""

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.mutation.mutants import Mutant
from benchmarks.mutation.trial import ROOMS

_TOOLS = ("cosmic-ray", "coverage", "pytest", "hypothesis")


def counted(drawn: int, survivors: list[Any], equivalent: list[Any]) -> dict[str, Any]:
    """What a room came to; equivalent mutants count apart."""
    return {
        "drawn": drawn,
        "mutants": drawn - len(equivalent),
        "killed": drawn - len(equivalent) - len(survivors),
        "survivors": survivors,
        "equivalent": equivalent,
    }


def killed_since(drawn: list[Mutant], room: Mapping[str, Any]) -> list[dict[str, str]]:
    """Which survivors of an earlier run no longer survive, nor are equivalent."""
    left = room["survivors"] + room["equivalent"]
    each = [mutant.described for mutant in drawn]
    return [one for one in each if not any(one.items() <= other.items() for other in left)]


def rooms_in(path: Path, seed: int) -> dict[str, dict[str, Any]]:
    """The rooms that an earlier run with this seed has finished; none if there is no file."""
    written = json.loads(path.read_text()) if path.exists() else {"seed": seed, "rooms": {}}
    rooms: dict[str, dict[str, Any]] = written["rooms"] if written["seed"] == seed else {}
    return rooms


def write(path: Path, seed: int, rooms: Mapping[str, dict[str, Any]]) -> None:
    """Write rooms in their order, and what they come to together."""
    mutants, killed = totals(rooms)
    result = {
        "seed": seed,
        "machine": machine() | {tool: version(tool) for tool in _TOOLS},
        "whole": set(rooms) == set(ROOMS),
        "mutants": mutants,
        "killed": killed,
        "rooms": {name: rooms[name] for name in ROOMS if name in rooms},
    }
    path.write_text(json.dumps(result, indent=1) + "\n")


def totals(rooms: Mapping[str, dict[str, Any]]) -> tuple[int, int]:
    """Mutants and killed of all rooms."""
    mutants, killed = (sum(room[key] for room in rooms.values()) for key in ("mutants", "killed"))
    return mutants, killed


def table(rooms: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """The lines of a table: a room, its mutants, how many and which share were killed."""
    yield f"{'room':12}{'mutants':>9}{'killed':>9}{'share':>9}{'equivalent':>12}"
    for name, room in rooms.items():
        share = room["killed"] / room["mutants"]
        yield (
            f"{name:12}{room['mutants']:9}{room['killed']:9}{share:9.1%}"
            f"{len(room['equivalent']):12}"
        )
    mutants, killed = totals(rooms)
    yield f"{'all':12}{mutants:9}{killed:9}{killed / mutants:9.1%}"
