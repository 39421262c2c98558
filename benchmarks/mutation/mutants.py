"""The mutants of a room: listed, and a seeded sample of them drawn."""

import ast
import random
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.work_item import MutationSpec

from benchmarks.mutation import operators

_EQUIVALENT = Path(__file__).with_name("equivalent.toml")
_DECLARING = {"dataclass", "override", "abstractmethod", "runtime_checkable"}
_Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file.

    Attributes:
        line: the code that is changed, without its indentation.
        becomes: the first line of the changed file that differs.
        rows: the lines of the innermost statement around it.
    """

    spec: MutationSpec
    line: str
    becomes: str
    rows: range

    @property
    def where(self) -> str:
        """File and line, for a person."""
        return f"{self.spec.module_path}:{self.spec.start_pos[0]}"

    @property
    def operator(self) -> str:
        """The operator's name, without its provider's."""
        return self.spec.operator_name.rsplit("/", 1)[1]

    @property
    def described(self) -> dict[str, str]:
        """What a result says of it."""
        return {
            "where": self.where,
            "operator": self.operator,
            "line": self.line,
            "becomes": self.becomes,
        }


def sample(files: Iterable[Path], size: int, seed: int) -> list[Mutant]:
    """Draw at most `size` places at random, and at each place one mutation.

    Drawing places first keeps a comparison, which can be changed in four ways, from counting four
    times.
    """
    dice = random.Random(seed)
    places = [
        list(group) for path in sorted(files) for _, group in groupby(_specs(path), key=_place)
    ]
    dice.shuffle(places)
    mutants = (mutant for place in places if (mutant := _mutant(dice.choice(place))) is not None)
    return list(islice(mutants, size))


def find(described: Mapping[str, str]) -> Mutant | None:
    """The mutant of the code as it is now that a result describes; None if its line is gone.

    Lines above it may have come and gone: of several that read the same the nearest is taken.
    """
    name, _, row = described["where"].rpartition(":")
    path = Path(name)
    rows = [line.strip() for line in path.read_text().splitlines()] if path.is_file() else []
    alike = [
        one
        for spec in (_specs(path) if described["line"] in rows else ())
        if rows[spec.start_pos[0] - 1] == described["line"]
        and spec.operator_name.endswith(f"/{described['operator']}")
        and (one := _mutant(spec)) is not None
        and one.becomes == described["becomes"]
    ]
    return min(alike, key=lambda one: abs(one.spec.start_pos[0] - int(row)), default=None)


def reason_of(mutant: Mutant) -> str | None:
    """Why no test can notice a mutant; None if it is not listed as equivalent."""
    listed: list[dict[str, str]] = tomllib.loads(_EQUIVALENT.read_text())["mutant"]
    key = {"file": mutant.spec.module_path.as_posix()} | mutant.described
    del key["where"]
    return next((entry["reason"] for entry in listed if key.items() <= entry.items()), None)


def _place(spec: MutationSpec) -> tuple[_Position, str]:
    return spec.start_pos, spec.operator_name.rsplit("/", 1)[1].split("_")[0]


def _specs(path: Path) -> list[MutationSpec]:
    """Every mutation of a file that could change what it does, by place."""
    source = path.read_text()
    nodes, spans = list(ast_nodes(get_ast(source))), list(_inert(ast.parse(source)))
    found = []
    for name in operators.NAMES:
        operator = plugins.get_operator(name)()
        positions = ((node, *ends) for node in nodes for ends in operator.mutation_positions(node))
        found += [
            MutationSpec(path, name, occurrence, start, end)
            for occurrence, (node, start, end) in enumerate(positions)
            if node.parent is None or node.parent.type != "parameters"  # a bare `*` among them
            if not any(first <= start < last for first, last in spans)
        ]
    return sorted(found, key=lambda spec: (_place(spec), spec.operator_name, spec.occurrence))


def _mutant(spec: MutationSpec) -> Mutant | None:
    source = spec.module_path.read_text()
    try:
        changed = mutate_code(
            source, plugins.get_operator(spec.operator_name)(), occurrence=spec.occurrence
        )
    except AttributeError:  # cosmic-ray cannot replace a dotted name of an exception
        return None
    if changed is None or _same(source, changed):
        return None
    before, after = source.splitlines(), changed.splitlines()
    line = before[spec.start_pos[0] - 1].strip()
    becomes = next((new.strip() for old, new in zip(before, after, strict=False) if old != new), "")
    rows = _statement(ast.parse(source), spec.start_pos[0])
    return Mutant(spec, line, becomes, rows)


def _statement(tree: ast.Module, row: int) -> range:
    """The lines of the innermost statement around a line; of a compound one, those of its head."""
    around = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= row <= (node.end_lineno or 0):
            body = [part for part in getattr(node, "body", ()) if part.lineno > node.lineno]
            around.append(
                range(node.lineno, body[0].lineno if body else (node.end_lineno or 0) + 1)
            )
    return max(
        (rows for rows in around if row in rows),
        key=lambda rows: rows.start,
        default=range(row, row + 1),
    )


def _same(source: str, changed: str) -> bool:
    try:
        return ast.dump(ast.parse(source)) == ast.dump(ast.parse(changed))
    except SyntaxError:
        return True  # no program, so nothing to be found wrong with it


def _inert(tree: ast.Module) -> Iterator[tuple[_Position, _Position]]:
    """Spans that decide nothing: types, declarations, log lines, texts of errors."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=ast.expr() as part) | ast.AnnAssign(annotation=part):
                yield _span(part)
            case ast.FunctionDef(returns=ast.expr() as part):
                yield _span(part)
            case ast.AsyncFunctionDef(returns=ast.expr() as part):
                yield _span(part)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield _span(node)
            case ast.ClassDef(bases=[ast.Name(id="Protocol"), *_]):
                yield _span(node)
            case ast.Raise():
                yield from (
                    _span(part) for part in ast.walk(node) if isinstance(part, ast.JoinedStr)
                )
            case ast.Assign(targets=[ast.Name(id="__slots__")]):
                yield _span(node)
            case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id="_log" | "_logger")))):
                yield _span(node)
        for decorator in getattr(node, "decorator_list", ()):
            named = decorator.func if isinstance(decorator, ast.Call) else decorator
            if ast.unparse(named).rsplit(".", 1)[-1] in _DECLARING:
                yield (decorator.lineno, decorator.col_offset - 1), _span(decorator)[1]


def _span(node: ast.expr | ast.stmt) -> tuple[_Position, _Position]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
