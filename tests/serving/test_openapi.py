"""The OpenAPI document: every operation says what it requires, and has a valid example."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from tests.serving.access.route_table import RULES
from tests.serving.test_documents import GOLDEN

DOCUMENT = json.loads(GOLDEN.read_text())
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
NAMES = [name for name, _ in OPERATIONS]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=NAMES)
def test_an_operation_says_what_it_requires(name: str, operation: dict[str, Any]) -> None:
    rules = {route.replace(":path", ""): rule.split(", ")[0] for route, rule in RULES.items()}
    needed = set() if rules[name] == "anybody" else set(rules[name].split(" or "))
    said = [(way, *scopes) for one in operation["security"] for way, scopes in one.items()]
    assert sorted(said) == sorted((way, one) for way in ("key", "session") for one in needed)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=NAMES)
def test_an_operation_has_an_example_that_its_schema_allows(
    name: str, operation: dict[str, Any]
) -> None:
    found = list(examples(operation))
    assert found or name == "GET /v1/alerts/{alert_id}/chart.png"
    for schema, example in found:
        Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(example)
    for parameter in operation.get("parameters", ()):
        assert parameter["in"] != "path" or "example" in parameter
    body = operation.get("requestBody", {}).get("content", {})
    assert "application/json" not in body or "example" in body["application/json"]


def examples(operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """(schema, example) of an operation's parameters, body and answers."""
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            yield parameter["schema"], parameter["example"]
    answers = operation["responses"].values()
    for holder in (operation.get("requestBody", {}), *answers):
        for content in holder.get("content", {}).values():
            if "example" in content:
                yield content.get("schema", {}), content["example"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/alerts?since=1767225600", None),
        ("GET", "/v1/feedback?from=1767225600.5", None),
        ("GET", "/v1/audit?to=1767225600", None),
        ("POST", "/v1/silences", {"kols": ["lena"], "reason": "x", "ends_at": 1967225600}),
        ("POST", "/v1/routing/preview", {"kol_id": "lena", "severity": "info", "at": "1767225600"}),
        ("POST", "/v1/posts", {"platform": "x", "post_id": "1", "kols": ["a"], "created_at": 1e9}),
    ],
)
def test_a_number_is_no_time(client: TestClient, method: str, path: str, body: Any) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == 422
    assert "such as 2026-03-01T12:00:00Z" in answer.json()["detail"]


def test_a_number_is_no_language(client: TestClient, item: Any) -> None:
    sent = client.post("/v1/comments", json=item(lang=5, comment_id=7))
    assert sent.json()["adjustments"] == {"optional_dropped": 1}
