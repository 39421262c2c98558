"""Completes the OpenAPI document: what each operation requires, and an example of each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from serving.access.session_cookie import SESSION
from serving.api.authorization import Requirement
from serving.api.problems import Problem

EXAMPLES = Path(__file__).with_name("openapi_examples.json")
_SCHEMES = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "gsk_<id>_<secret>",
        "description": "An API key. The scopes of an operation are alternatives; `admin` holds "
        "all of them.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION,
        "description": "The session of a person; with https, its name begins with `__Host-`.",
    },
}


def install(app: FastAPI) -> None:
    """Complete the document of an app."""
    generate = app.openapi

    def completed() -> dict[str, Any]:
        document = generate()
        components = document["components"]
        components["schemas"].setdefault("Problem", Problem.model_json_schema())
        components["securitySchemes"] = _SCHEMES
        requirements = dict(_requirements(app))
        examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
        for operations in document["paths"].values():
            for operation in operations.values():
                name = operation["operationId"]
                operation["security"] = _security(requirements[name])
                _add_examples(operation, examples.get(name, {}))
        return document

    app.openapi = completed  # type: ignore[method-assign]  # FastAPI's documented way


def _requirements(app: FastAPI) -> Iterator[tuple[str, Requirement | None]]:
    """What each route requires, by its name."""
    for context in iter_route_contexts(app.router.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            needed = (one.dependency for one in route.dependencies)
            found = (one for one in needed if isinstance(one, Requirement))
            yield route.name, next(found, None)


def _security(requirement: Requirement | None) -> list[dict[str, list[str]]]:
    """One alternative for each scope and way to prove who one is; none where nothing is needed."""
    if requirement is None:
        return []
    return [{name: [scope]} for name in _SCHEMES for scope in requirement.scopes]


def _add_examples(operation: dict[str, Any], example: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"] in example.get("path", {}):
            parameter["example"] = example["path"][parameter["name"]]
    if "request" in example:
        operation["requestBody"]["content"]["application/json"]["example"] = example["request"]
    if "response" in example:
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                for content in answer.get("content", {}).values():
                    content["example"] = example["response"]
