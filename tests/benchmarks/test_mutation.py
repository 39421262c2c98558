"""The mutation benchmark draws the same mutants again, and only such as change the program."""

import ast
import tomllib
from pathlib import Path

import pytest
from cosmic_ray import plugins
from cosmic_ray.mutating import mutate_code

from benchmarks.mutation import mutants, operators
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
        path = Path(entry["file"])
        possible = [one for spec in mutants._specs(path) if (one := mutants._mutant(spec))]
        assert entry["reason"].strip()
        assert entry["reason"] in map(mutants.reason_of, possible), f"no such mutant: {entry}"
