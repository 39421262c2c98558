"""A mutant's trial: a copy of the tree, the tests of its room, and whether one of them fails."""

import json
import os
import shutil
import signal
import subprocess
import sys
from compileall import compile_dir
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from importlib import import_module
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import pytest
from cosmic_ray import plugins
from cosmic_ray.mutating import use_mutation

from benchmarks.mutation.mutants import Mutant

LEAST_SECONDS = 60  # that a test may take
_OURS = {"benchmarks", "model", "monitoring", "serving", "tests", "training"}
_TRIED: set[str] = set()
_PYTEST = (
    *("-q", "-x", "--assert=plain", "-p", "no:cacheprovider", "-p", "benchmarks.mutation.plugin"),
    *("-o", "faulthandler_exit_on_timeout=true"),
)


@dataclass(frozen=True, slots=True)
class Room:
    """Code, and the tests that answer for it.

    Attributes:
        size: how many mutants are drawn.
        code: globs of its files.
        tests: globs of its tests.
    """

    size: int
    code: tuple[str, ...]
    tests: tuple[str, ...]


def _notify(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"tests/serving/notify/**/test_{name}.py" for name in names)


_ROUTING = ("rout*", "plan*", "escalat*", "suppress*", "hours*", "muting*", "waiting*", "outbox*")
_STAGES = (
    "plan*",
    "suppress*",
    "waiting*",
    "muting*",
    "outbox*",
    "dispatcher*",
    "bad_messages*",
    "stages*",
)
_WIRING = ("app", "settings", "setting_values", "documents")
ROOMS = {
    "monitoring": Room(145, ("monitoring/**/*.py",), ("tests/monitoring",)),
    "triage": Room(40, ("serving/triage/*.py",), ("tests/serving/triage",)),
    "routing": Room(45, ("serving/notify/routing/*.py",), _notify(_ROUTING)),
    "stages": Room(
        45,
        ("serving/notify/stages/*.py",),
        (*_notify(_STAGES), "tests/serving/reports/test_digest*.py"),
    ),
    "wiring": Room(
        30,
        ("serving/app.py", "serving/settings.py"),
        tuple(f"tests/serving/test_{name}.py" for name in _WIRING),
    ),
}


def found(globs: tuple[str, ...]) -> list[Path]:
    """The files of some globs, in order."""
    return sorted({path for pattern in globs for path in Path().glob(pattern)})


def _copy(into: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and Path(name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, into / name)


def enter_copy(root: Path, copies: "Synchronized[int]") -> None:
    """Make a worker process work in a copy of the tree, its own."""
    with copies.get_lock():
        copies.value += 1
        place = root / str(copies.value)
    _copy(place)
    compile_dir(place, quiet=2)
    sys.dont_write_bytecode = True  # of a mutant
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    tree = Path.cwd()
    os.chdir(place)
    sys.path[:] = [str(place), *(path for path in sys.path if Path(path).resolve() != tree)]


def _passes(arguments: list[str], test_seconds: float) -> tuple[bool, str]:
    """Whether pytest passes, in a fork of this process, and what it printed.

    A fork has the third-party packages imported, which takes longer than most trials, and imports
    our own afresh.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.alarm(int(60 * test_seconds))  # for what hangs outside of a test
        printed = os.open("printed.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        for name in [name for name in sys.modules if name.split(".")[0] in _OURS]:
            del sys.modules[name]
        code = 99  # for what goes wrong outside of pytest
        try:
            limit = f"faulthandler_timeout={test_seconds}"
            code = pytest.main([*_PYTEST, "-o", limit, *arguments])
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what its tests started
    return status == 0, Path("printed.txt").read_text(errors="replace")


def record(name: str) -> dict[str, Any]:
    """Run a room's tests once, and see which lines each of them runs.

    Raises:
        RuntimeError: a test fails without any mutation.
    """
    tests = [str(path) for path in found(ROOMS[name].tests)]
    passed, printed = _passes(["--record-lines=lines.json", *tests], 20 * LEAST_SECONDS)
    if not passed:
        raise RuntimeError(f"the tests of {name} fail as they are:\n{printed}")
    recorded: dict[str, Any] = json.loads(Path("lines.json").read_text())
    return recorded


def _warm_up(modules: list[str]) -> None:
    """Import third-party packages, so that each fork has them."""
    for name in modules:
        if name.split(".")[0] not in _OURS and name not in _TRIED:
            _TRIED.add(name)
            with suppress(Exception):  # what only pytest can import
                import_module(name)


def judge(name: str, recorded: dict[str, Any], mutant: Mutant | None) -> tuple[bool, str]:
    """Whether the tests of its room kill a mutant, and its diff; None is the code as it is.

    Only the files with a test that runs the statement are run: such tests first, the quick ones
    before the slow ones. A mutant of a statement that no test runs survives without a trial, and
    its diff begins with that. A statement that runs only while modules are imported belongs to the
    tests that use its file, and one of a file that only declares things to all tests of the room.
    """
    _warm_up(recorded["modules"])
    if mutant is None:
        return not _trial(recorded["seconds"], set(recorded["seconds"])), ""
    lines: dict[str, list[str]] = recorded["lines"].get(mutant.spec.module_path.as_posix(), {})
    running = {test for row in mutant.rows for test in lines.get(str(row), ())}
    if not running:
        return False, f"no test runs it\n-{mutant.line}\n+{mutant.becomes}"
    if running == {""}:
        using = {test for tests in lines.values() for test in tests} - {""}
        running = using or set(recorded["seconds"])
    operator = plugins.get_operator(mutant.spec.operator_name)()
    with use_mutation(mutant.spec.module_path, operator, mutant.spec.occurrence) as (old, new):
        passed = _trial(recorded["seconds"], running)
    diff = unified_diff(old.splitlines(), (new or "").splitlines(), lineterm="", n=0)
    return not passed, "\n".join(list(diff)[3:])


def _trial(seconds: dict[str, float], first: set[str]) -> bool:
    """Whether the files of some tests pass, those tests first.

    The other tests of a file follow, as a fixture counts as run by the first test that uses it.
    """
    files = {test.partition("::")[0] for test in first if test}
    tests = [test for test in seconds if test.partition("::")[0] in files]
    order = sorted(tests, key=lambda test: (test not in first, seconds[test]))
    Path("order.json").write_text(json.dumps(order))
    limit = max(LEAST_SECONDS, 3 * max(seconds[test] for test in tests))
    return _passes(["--in-order=order.json", *sorted(files)], limit)[0]
