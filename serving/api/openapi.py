"""Completes the OpenAPI document: what each operation requires, and an example of each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from serving.access.session_cookie import SESSION
from serving.api.authorization import Requirement
from serving.api.problems import Problem, documented

EXAMPLES = Path(__file__).with_name("openapi_examples.json")
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255, "pattern": '^("[!#-~]+"|[!#-~]+)$'},
    "description": "A new UUID for each request, the same for its repeats: it is carried out once, "
    "and a repeat gets the first answer with `Idempotency-Replayed: true`.",
    "example": '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "ETag of an answer that you have: 304 without a body if it is still right.",
}
_ETAG = {
    "schema": {"type": "string"},
    "description": "Version of the answer, for `If-None-Match` and `If-Match`.",
}
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
            for method, operation in operations.items():
                name = operation["operationId"]
                operation["security"] = _security(requirements[name])
                _add_repeats(operation, requirements[name])
                _add_conditions(method, operation, requirements[name])
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


def _add_repeats(operation: dict[str, Any], requirement: Requirement | None) -> None:
    """Say how an operation takes an idempotency key."""
    if requirement is None or requirement.repeats is None:
        return
    operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    _add_responses(operation, 400, 409, 422)


def _add_conditions(
    method: str, operation: dict[str, Any], requirement: Requirement | None
) -> None:
    """Say which answers have an ETag, and what it is good for."""
    parameters, responses = operation.setdefault("parameters", []), operation["responses"]
    shown = responses.get("200", {})
    is_json = "application/json" in shown.get("content", {})
    if method == "get" and requirement is not None and is_json:
        shown.setdefault("headers", {})["ETag"] = _ETAG
        parameters.append(_IF_NONE_MATCH)
        responses["304"] = {"description": "It is as when it had the ETag of `If-None-Match`."}
    elif any(one["name"].lower() == "if-match" for one in parameters):
        _add_responses(operation, 412)
        if is_json:
            shown.setdefault("headers", {})["ETag"] = _ETAG
    operation["responses"] = dict(sorted(responses.items()))
    if not parameters:
        del operation["parameters"]


def _add_responses(operation: dict[str, Any], *statuses: int) -> None:
    for status, answer in documented(*statuses).items():
        if status in statuses:
            operation["responses"].setdefault(str(status), answer)


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
