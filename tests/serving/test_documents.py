"""The documents say what the code does: settings, metrics, errors, and the OpenAPI document."""

import ast
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from serving.api.problems import STATUS, TITLES
from serving.app import create_app
from serving.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GOLDEN = DOCS / "openapi.json"


def table(document: str) -> dict[str, list[str]]:
    """The rows of a document's tables by the name in their first cell."""
    rows = {}
    for line in (DOCS / document).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if match := re.fullmatch(r"`(.+)`", cells[0].strip("| ")):
            rows[match[1]] = cells[1:]
    return rows


def test_every_setting_is_documented_with_its_default() -> None:
    documented = table("settings.md")
    assert set(documented) == {f"GROUNDSWELL_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default, meaning = documented[f"GROUNDSWELL_{name.upper()}"]
        assert default.strip("`") == ("unset" if field.default is None else str(field.default))
        assert meaning == field.description


def test_every_metric_is_documented(client: TestClient) -> None:
    exposed = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in text_string_to_metric_families(client.get("/metrics").text)
        if not family.name.endswith("_created")  # the client library's own, beside a histogram
    }
    assert {name: row[0] for name, row in table("metrics.md").items()} == exposed


def test_every_answer_is_documented_with_its_status() -> None:
    documented = {code: int(row[0]) for code, row in table("errors.md").items() if len(row) == 2}
    assert documented == STATUS
    assert set(STATUS.values()) == set(TITLES)


def test_every_reason_to_reject_a_comment_is_documented() -> None:
    documented = {code for code, row in table("errors.md").items() if len(row) == 1}
    raised = set()
    for path in ("serving/ingest/comment.py", "serving/api/comments.py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name, first = node.func.id, node.args[0] if node.args else None
                if name in {"PydanticCustomError", "InvalidComment"} and isinstance(
                    first, ast.Constant
                ):
                    raised.add(first.value)
    from serving.ingest.comment import _BUILT_IN

    raised |= {code for code, _ in _BUILT_IN.values()}
    assert documented == raised


def test_the_openapi_document_is_the_golden_one(settings: Settings) -> None:
    """A change of the API is a change of docs/openapi.json in the same commit."""
    document = create_app(settings).openapi()
    if not GOLDEN.exists():
        pytest.fail("docs/openapi.json is missing; write it with: python -m tests.serving.openapi")
    assert document == json.loads(GOLDEN.read_text()), (
        "the API changed; if that is meant: python -m tests.serving.openapi"
    )
