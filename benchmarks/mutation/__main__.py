"""Mutation testing: `make mutate`; a small sample with `--room triage --size 20 --seed 7`.

A mutant is one small change of the code. It is killed when a test of its room fails, and survives
when all pass. Mutants are made in copies of the tree, never in the tree itself.
"""

import argparse
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.mutation.mutants import Mutant, find, reason_of, sample
from benchmarks.mutation.report import counted, killed_since, rooms_in, table, write
from benchmarks.mutation.trial import ROOMS, enter_copy, found, judge, record

SEED = 20261130
RESULT = Path("benchmarks/results/mutation.json")


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


def retry(path: Path, seed: int) -> None:
    """Try the survivors that a result lists again, and note in it which are killed now.

    The figures of the run stay as they are.
    """
    rooms = rooms_in(path, seed)
    drawn = {
        name: [mutant for one in room["survivors"] if (mutant := find(one)) is not None]
        for name, room in rooms.items()
        if room["survivors"]
    }
    for name, tried in run(drawn):
        rooms[name]["killed_since"] = killed_since(drawn[name], tried)
        write(path, seed, rooms)


def main() -> None:
    """Draw, try, and print a table; what a run with the fixed seed and sizes finds is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("--room", choices=ROOMS, action="append", help="only these")
    parser.add_argument("--size", type=int, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, help="where to write; without --size and --seed RESULT")
    parser.add_argument("--survivors", action="store_true", help="try those of RESULT again")
    options = parser.parse_args()
    if options.survivors:
        retry(options.out or RESULT, options.seed)
        return
    fixed = (options.size, options.seed) == (None, SEED)
    out = options.out or (RESULT if fixed else None)
    drawn = {
        name: sample(found(ROOMS[name].code), options.size or ROOMS[name].size, options.seed)
        for name in options.room or ROOMS
    }
    rooms = rooms_in(out, options.seed) if out else {}
    for name, room in run(drawn):
        rooms[name] = room
        if out:
            write(out, options.seed, rooms)
    print(*table(rooms), sep="\n")


if __name__ == "__main__":
    main()
