"""The documents say what the code does: settings, metrics, errors, workers and every fixed word."""

import ast
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from monitoring.policy import Policy
from serving.api.problems import STATUS, TITLES
from serving.app import create_app
from serving.ingest.comment import _BUILT_IN
from serving.metrics import Metrics
from serving.service import Service
from serving.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GOLDEN = DOCS / "openapi.json"
ROOMS = ("clients", "model", "monitoring", "serving", "training")
FILES = [
    path.relative_to(ROOT).as_posix()
    for room in (*ROOMS, "benchmarks", "deploy", "tests")
    for path in (ROOT / room).rglob("*.py")
]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])


def page(document: str) -> str:
    return (DOCS / document).read_text()


def section(document: str, title: str) -> str:
    """What a page says under a heading, up to the next one of the same level."""
    return page(document).split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(text: str) -> dict[str, list[str]]:
    """The rows of a text's tables by the name in their first cell."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if match := re.fullmatch(r"`(.+)`", cells[0].strip("| ")):
            assert match[1] not in rows, f"{match[1]} is listed twice"
            rows[match[1]] = cells[1:]
    return rows


def trees(*folders: str) -> Iterator[ast.Module]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(path.read_text())


def calls(name: str, *folders: str) -> Iterator[ast.expr]:
    """The first argument of every call of a function, by its bare name."""
    for tree in trees(*folders):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
                yield from node.args[:1]


def codes_of_calls(name: str, *folders: str) -> set[str]:
    """The codes that are given to a function; one that is computed is given elsewhere."""
    found = set()
    for argument in calls(name, *folders):
        if isinstance(argument, ast.Constant):
            found.add(str(argument.value))
        else:
            assert ast.unparse(argument) in ("code", "error.code")
    return found


def codes_of_classes(*folders: str) -> set[str]:
    """Every `code = "…"` in the body of a class."""
    return {
        str(statement.value.value)
        for tree in trees(*folders)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and ast.unparse(statement.targets[0]) == "code"
        and isinstance(statement.value, ast.Constant)
    }


def fixed_words() -> Iterator[type[StrEnum]]:
    """Every enum of words in the product."""
    for folder in ("model", "monitoring", "serving"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "(StrEnum)" in path.read_text():
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                for thing in vars(import_module(name)).values():
                    if (
                        isinstance(thing, type)
                        and issubclass(thing, StrEnum)
                        and thing.__module__ == name
                    ):
                        yield thing


def test_every_setting_is_documented_with_its_default() -> None:
    documented = table(page("settings.md"))
    assert set(documented) == {f"GROUNDSWELL_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default, meaning = documented[f"GROUNDSWELL_{name.upper()}"]
        assert default.strip("`") == ("unset" if field.default is None else str(field.default))
        assert meaning == field.description
    assert f"default, {Policy().sensitivity:g}" in documented["GROUNDSWELL_SENSITIVITY"][1]


def test_every_metric_is_documented(client: TestClient) -> None:
    exposed = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in text_string_to_metric_families(client.get("/metrics").text)
        if not family.name.endswith("_created")  # the client library's own, beside a histogram
    }
    assert {name: row[0] for name, row in table(page("metrics.md")).items()} == exposed


def test_every_label_of_a_metric_is_documented() -> None:
    registry = CollectorRegistry()
    Metrics(registry, max_kols=1)
    documented = {
        name.removesuffix("_total"): re.findall(r"`(\w+)`", row[1])
        for name, row in table(page("metrics.md")).items()
    }
    labels = {
        collector._name: list(collector._labelnames)
        for collector in registry._collector_to_names
        if hasattr(collector, "_labelnames")
    }
    assert len(labels) > 20
    for name, expected in labels.items():
        assert documented[name] == expected, name


def test_every_worker_is_in_the_runbook() -> None:
    workers: dict[str, bool] = Service.workers.fget(Mock())  # type: ignore[attr-defined]
    assert list(table(section("runbook.md", "GroundswellWorkerDown"))) == list(workers)


def test_the_runbook_names_events_that_are_logged() -> None:
    levels = ("info", "warning", "error", "exception")
    logged = {
        str(argument.value)
        for level in levels
        for argument in calls(level, "serving")
        if isinstance(argument, ast.Constant)
    }
    named = set(re.findall(r"`([a-z]+_(?:failed|died))`", page("runbook.md")))
    assert named
    assert named <= logged


def test_every_answer_is_documented_with_its_status() -> None:
    documented = {
        code: int(row[0]) for code, row in table(section("errors.md", "Answers of the API")).items()
    }
    assert documented == STATUS
    assert set(STATUS.values()) == set(TITLES)
    assert codes_of_calls("problem", "serving") | codes_of_calls(
        "InvalidRequest", "serving"
    ) <= set(STATUS)


def test_every_reason_to_reject_a_comment_is_documented() -> None:
    raised = (
        codes_of_calls("InvalidComment", "serving")
        | codes_of_calls("PydanticCustomError", "serving/ingest")
        | codes_of_calls("InvalidValue", "serving/ingest")
        | {code for code, _ in _BUILT_IN.values()}
    )
    assert set(table(section("errors.md", "Rejected comments"))) == raised


def test_every_code_of_an_error_is_documented() -> None:
    documented = table(section("errors.md", "Errors in the log and on the command line"))
    raised = codes_of_classes(*ROOMS)
    assert len(raised) > 25
    assert set(documented) == raised - set(STATUS)


@pytest.mark.parametrize("enum", list(fixed_words()), ids=lambda enum: enum.__name__)
def test_every_fixed_word_is_in_the_glossary(enum: type[StrEnum]) -> None:
    defined = set(re.findall(r"^\* `(\w+)`: ", page("glossary.md"), re.MULTILINE))
    assert {member.value for member in enum} <= defined


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """Every link to a file of the repository names one, and a heading of it where it has a `#`."""
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_page_names_exist(path: Path) -> None:
    """Every `….py` in backticks is the end of a file's path."""
    if path.name == "CHANGELOG.md":  # names what there was
        pytest.skip("history")
    for name in re.findall(r"`([\w/]+\.py)`", path.read_text()):
        assert any(f"/{file}".endswith(f"/{name}") for file in FILES), name


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_folder_of_serving_is_in_the_architecture() -> None:
    folders = {path.parent.name for path in (ROOT / "serving").glob("*/__init__.py")}
    linked = set(re.findall(r"\(\.\./serving/(\w+)\)", page("architecture.md")))
    assert linked == folders


def test_the_openapi_document_is_the_golden_one(settings: Settings) -> None:
    """A change of the API is a change of docs/openapi.json in the same commit."""
    document = create_app(settings).openapi()
    if not GOLDEN.exists():
        pytest.fail("docs/openapi.json is missing; write it with: python -m tests.serving.openapi")
    assert document == json.loads(GOLDEN.read_text()), (
        "the API changed; if that is meant: python -m tests.serving.openapi"
    )


def test_the_tests_that_the_page_on_security_names_are_there() -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?` \|$", page("security.md"), re.MULTILINE)
    assert len(named) > 30
    for file, test in named:
        text = (ROOT / "tests/serving" / file).read_text(encoding="utf-8")
        assert f"def {test or 'test_'}" in text, f"{file}::{test}"
