"""The mutation benchmark draws the same mutants again, and only such as change the program."""

import ast
import json
import tomllib
from pathlib import Path

import pytest
from cosmic_ray import plugins
from cosmic_ray.mutating import mutate_code

from benchmarks.mutation import __main__ as command
from benchmarks.mutation import mutants, operators, report, trial
from benchmarks.mutation.trial import ROOMS, found

SOURCE = '''
from dataclasses import dataclass

@dataclass(frozen=True)
class Small:
    """Counts to 3."""
    __slots__ = ("total",)
    total: int | None = 5

    def add(self, *, count: int | None = None) -> int | None:
        _log.info("add", count=1)
        if count is None:
            raise ValueError(f"give {1} number")
        self.total += count
        policy.apply(self)
        return settings.port + settings.other
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.py"
    path.write_text(SOURCE)
    return path


def test_only_code_that_decides_something_is_mutated(file: Path) -> None:
    drawn = mutants.sample([file], 100, 1)
    assert sorted((one.line, one.operator.split("_")[0], one.becomes) for one in drawn) == [
        ("if count is None:", "AddNot", "if not count is None:"),
        ("if count is None:", "ReplaceComparisonOperator", "if count is not None:"),
        ("policy.apply(self)", "StatementRemoved", "pass"),
        ("return settings.port + settings.other", "FieldHardWired", "return 8000 + settings.other"),
        (
            "return settings.port + settings.other",
            "ReplaceBinaryOperator",
            "return settings.port - settings.other",
        ),
        ("self.total += count", "StatementRemoved", "pass"),
        ("total: int | None = 5", "NumberReplacer", "total: int | None = 6"),
    ]


def test_a_seed_draws_the_same_mutants_again() -> None:
    files = found(ROOMS["triage"].code)
    once, again, other = (mutants.sample(files, 10, seed) for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_a_mutant_knows_the_lines_of_its_statement(file: Path) -> None:
    drawn = mutants.sample([file], 100, 1)
    lines = SOURCE.splitlines()
    for one in drawn:
        assert one.line in {lines[row - 1].strip() for row in one.rows}
        assert len(one.rows) == 1


@pytest.mark.parametrize("name", operators.NAMES)
def test_every_operator_that_is_named_exists(name: str) -> None:
    plugins.get_operator(name)()


def test_a_removed_statement_leaves_a_program() -> None:
    operator = plugins.get_operator("groundswell/StatementRemoved")()
    changed = mutate_code("def f(x):\n    x.y(\n        1,\n    )\n", operator, 0)
    assert changed == "def f(x):\n    pass\n"
    ast.parse(changed)


def test_every_room_has_code_and_tests() -> None:
    for room in ROOMS.values():
        assert all(found((glob,)) for glob in room.tests)
        assert found(room.code)


def test_every_equivalent_mutant_is_one_of_the_code_and_has_a_reason() -> None:
    listed = tomllib.loads(Path("benchmarks/mutation/equivalent.toml").read_text())["mutant"]
    for entry in listed:
        one = mutants.find({"where": f"{entry['file']}:0"} | entry)
        assert one is not None, f"no such mutant: {entry}"
        assert mutants.reason_of(one) == entry["reason"]
        assert entry["reason"].strip()


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The tests that each trial begins with; no test is run."""
    called: list[set[str]] = []
    monkeypatch.setattr(trial, "_trial", lambda _, tests: called.append(tests))
    return called


ONE, TWO = "tests/test_one.py::test", "tests/test_two.py::test"


def test_a_mutant_that_no_test_runs_survives_and_its_diff_says_so(file: Path, first) -> None:
    one, *_ = mutants.sample([file], 100, 1)
    recorded = {"modules": [], "seconds": {ONE: 1.0}, "lines": {file.as_posix(): {}}}
    said = f"no test runs it\n-{one.line}\n+{one.becomes}"
    assert trial.judge("triage", recorded, one) == (False, said)
    assert first == []


@pytest.mark.parametrize(
    ("elsewhere", "expected"), [([ONE], {ONE}), ([""], {ONE, TWO})], ids=["used", "only imported"]
)
def test_what_runs_at_import_belongs_to_the_tests_of_its_file_or_to_all(
    file: Path, first, elsewhere, expected
) -> None:
    one, *_ = mutants.sample([file], 100, 1)
    lines = {str(row): [""] for row in one.rows} | {"99": elsewhere}
    recorded = {
        "modules": [],
        "seconds": {ONE: 1.0, TWO: 1.0},
        "lines": {file.as_posix(): lines},
    }
    killed, diff = trial.judge("triage", recorded, one)
    assert killed
    assert diff.splitlines()[-1].strip("+ ") == one.becomes
    assert first == [expected]
    assert file.read_text() == SOURCE


def test_a_mutant_is_found_again_after_its_line_has_moved(file: Path) -> None:
    drawn = mutants.sample([file], 100, 1)
    file.write_text("import os\n" + SOURCE)
    for one in drawn:
        again = mutants.find(one.described)
        assert again is not None
        assert again.spec.start_pos[0] == one.spec.start_pos[0] + 1
        assert again.becomes == one.becomes
    file.write_text("")
    assert [mutants.find(one.described) for one in drawn] == [None] * len(drawn)
    file.unlink()
    assert mutants.find(drawn[0].described) is None


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Which places of each room survive a run; no test is run."""
    surviving: dict[str, set[str]] = {name: set() for name in ROOMS}

    def run(drawn: dict[str, list[mutants.Mutant]]):
        for name, each in drawn.items():
            left = [one.described for one in each if one.where in surviving[name]]
            yield name, report.counted(len(each), left, [])

    monkeypatch.setattr(command, "run", run)
    return surviving


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["mutation", *arguments])
    command.main()


def test_a_run_that_was_broken_off_is_completed_room_by_room(tried, tmp_path, monkeypatch) -> None:
    out = tmp_path / "mutation.json"
    names = list(ROOMS)
    called(monkeypatch, "--room", names[1], "--room", names[0], "--out", str(out))
    written = json.loads(out.read_text())
    assert list(written["rooms"]) == names[:2]
    assert written["whole"] is False
    assert written["mutants"] == sum(ROOMS[name].size for name in names[:2])
    survivor = mutants.sample(found(ROOMS[names[2]].code), 1, command.SEED)[0]
    tried[names[2]].add(survivor.where)
    rest = [part for name in names[2:] for part in ("--room", name)]
    called(monkeypatch, *rest, "--out", str(out))
    written = json.loads(out.read_text())
    assert list(written["rooms"]) == names
    assert written["whole"] is True
    assert written["mutants"] == sum(room.size for room in ROOMS.values()) >= 300
    left = written["rooms"][names[2]]["survivors"]
    assert survivor.described in left
    assert written["killed"] == written["mutants"] - len(left)


def test_another_seed_starts_a_result_anew(tried, tmp_path, monkeypatch) -> None:
    out = tmp_path / "mutation.json"
    called(monkeypatch, "--room", "triage", "--size", "3", "--out", str(out))
    called(monkeypatch, "--room", "routing", "--size", "3", "--seed", "7", "--out", str(out))
    assert list(json.loads(out.read_text())["rooms"]) == ["routing"]


def test_survivors_that_are_killed_since_are_noted_apart(tried, tmp_path, monkeypatch) -> None:
    out = tmp_path / "mutation.json"
    first, *_, last = mutants.sample(found(ROOMS["triage"].code), 20, command.SEED)
    tried["triage"] |= {first.where, last.where}
    called(monkeypatch, "--room", "triage", "--size", "20", "--out", str(out))
    before = json.loads(out.read_text())
    tried["triage"].remove(first.where)
    called(monkeypatch, "--survivors", "--out", str(out))
    after = json.loads(out.read_text())
    killed = after["rooms"]["triage"].pop("killed_since")
    assert first.described in killed
    assert last.described not in killed
    assert after == before
