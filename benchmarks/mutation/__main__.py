"""Mutation testing: `make mutate`; a small sample with `--room triage --size 20 --seed 7`.

A mutant is one small change of the code. It is killed when a test of its room fails, and survives
when all pass. Mutants are made in copies of the tree, never in the tree itself.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.machine import machine
from benchmarks.mutation.mutants import Mutant, reason_of, sample
from benchmarks.mutation.trial import ROOMS, enter_copy, found, judge, record

SEED = 20261130
RESULT = Path("benchmarks/results/mutation.json")
TOOLS = ("cosmic-ray", "coverage", "pytest", "hypothesis")


def run(drawn: dict[str, list[Mutant]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Try the mutants of each room on two processes, and yield what came of them.

    Raises:
        RuntimeError: a test fails without any mutation.
    """
    context = get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="mutants-") as root:
        arguments = (Path(root), context.Value("i", 0))
        with ProcessPoolExecutor(2, context, enter_copy, arguments) as pool:
            recorded = dict(zip(drawn, pool.map(record, drawn), strict=True))
            for name, mutants in drawn.items():
                if pool.submit(judge, name, recorded[name], None).result()[0]:
                    raise RuntimeError(f"the tests of {name} fail in another order")
                survivors, equivalent = [], []
                tried = pool.map(partial(judge, name, recorded[name]), mutants)
                for mutant, (killed, diff) in zip(mutants, tried, strict=True):
                    outcome = "killed" if killed else "SURVIVED"
                    print(name, outcome, mutant.where, mutant.operator, flush=True)
                    if killed:
                        continue
                    print(diff, flush=True)
                    reason = reason_of(mutant)
                    if reason is None:
                        survivors.append(mutant.described | {"diff": diff})
                    else:
                        equivalent.append(mutant.described | {"reason": reason})
                yield name, counted(len(mutants), survivors, equivalent)


def counted(drawn: int, survivors: list[Any], equivalent: list[Any]) -> dict[str, Any]:
    """What a room came to; equivalent mutants count apart."""
    return {
        "drawn": drawn,
        "mutants": drawn - len(equivalent),
        "killed": drawn - len(equivalent) - len(survivors),
        "survivors": survivors,
        "equivalent": equivalent,
    }


def main() -> None:
    """Draw, try, print a table, and write the result of a whole run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("--room", choices=ROOMS, action="append", help="only these")
    parser.add_argument("--size", type=int, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, help="where to write; a whole run goes to RESULT")
    options = parser.parse_args()
    whole = (options.room, options.size, options.seed) == (None, None, SEED)
    drawn = {
        name: sample(found(ROOMS[name].code), options.size or ROOMS[name].size, options.seed)
        for name in options.room or ROOMS
    }
    started = monotonic()
    rooms = dict(run(drawn))
    print(f"{'room':12}{'mutants':>9}{'killed':>9}{'share':>9}{'equivalent':>12}")
    for name, room in rooms.items():
        share = room["killed"] / room["mutants"]
        print(
            f"{name:12}{room['mutants']:9}{room['killed']:9}{share:9.1%}{len(room['equivalent']):12}"
        )
    mutants, killed = (sum(room[key] for room in rooms.values()) for key in ("mutants", "killed"))
    print(f"{'all':12}{mutants:9}{killed:9}{killed / mutants:9.1%}")
    if out := options.out or (RESULT if whole else None):
        result = {
            "seed": options.seed,
            "seconds": round(monotonic() - started),
            "machine": machine() | {tool: version(tool) for tool in TOOLS},
            "mutants": mutants,
            "killed": killed,
            "rooms": rooms,
        }
        out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
