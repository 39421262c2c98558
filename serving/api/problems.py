"""Errors as RFC 9457 problem details. The only table from error code to HTTP status is here."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from model.errors import GroundswellError
from serving.access.response_headers import RESPONSE_HEADERS
from serving.errors import InvalidRequest, PreconditionFailed

_log = structlog.get_logger(__name__)

STATUS = {
    "malformed_json": 400,
    "invalid_utf8": 400,
    "malformed_form": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "malformed_request": 400,
    "invalid_idempotency_key": 400,
    "cross_site": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "conflict": 409,
    "request_in_progress": 409,
    "already_done": 409,
    "precondition_failed": 412,
    "body_too_large": 413,
    "too_complex": 413,
    "unsupported_media_type": 415,
    "unknown_host": 421,
    "invalid_parameter": 422,
    "invalid_cursor": 422,
    "invalid_range": 422,
    "too_many_items": 422,
    "too_many_texts": 422,
    "all_rejected": 422,
    "unknown_channel": 422,
    "source_fault": 422,
    "idempotency_key_reused": 422,
    "too_busy": 429,
    "overloaded": 429,
    "rate_limited": 429,
    "too_many_subscribers": 429,
    "too_many_connections": 429,
    "headers_too_large": 431,
    "internal": 500,
    "not_ready": 503,
    "store": 503,
    "model": 503,
}
TITLES = {
    400: "The request cannot be read",
    401: "A valid key is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "The request took too long",
    409: "Conflict with what is stored",
    412: "Changed since it was read",
    413: "The body is too large",
    415: "Unsupported media type",
    421: "Not the name of this service",
    422: "The request is not valid",
    429: "Too busy, try again later",
    431: "The headers are too large",
    500: "Internal error",
    503: "Not available",
}
MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """An error in the format of RFC 9457."""

    type: str = Field(description="`urn:groundswell:error:` followed by the code.")
    title: str
    status: int
    detail: str = Field(description="What is wrong and how to fix it.")
    code: str = Field(description="Stable error code; docs/errors.md lists all codes.")
    field: str | None = Field(None, description="The field or parameter that is wrong.")


def problem(code: str, detail: str, **more: Any) -> JSONResponse:
    """A response that describes an error.

    Args:
        code: a key of `STATUS`.
        detail: what is wrong and how to fix it.
        more: additional members; `retry_after` becomes a header, None is left out.
    """
    status = STATUS[code]
    retry_after = more.pop("retry_after", None)
    body = {
        "type": f"urn:groundswell:error:{code}",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
    } | {key: value for key, value in more.items() if value is not None}
    headers = {"Retry-After": str(ceil(retry_after))} if retry_after is not None else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` argument of a route that can answer with these statuses.

    Every route that needs a principal can answer 401, 403 and 429. One that can answer 400 reads a
    body, so it can answer 408, 413 and 415 too.
    """
    of_bodies = {408, 413, 415} if 400 in statuses else set()
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": TITLES[status], "content": {MEDIA_TYPE: schema}}
        for status in sorted({*statuses, *of_bodies, 401, 403, 429})
    }


def install(app: FastAPI) -> None:
    """Make the app answer every error with a problem."""
    app.add_exception_handler(GroundswellError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _status_code(error: GroundswellError) -> str:
    """The error's code, or that of the nearest class above it that the table knows."""
    if error.code in STATUS:
        return error.code
    return next(
        code for kind in type(error).__mro__ if (code := getattr(kind, "code", "")) in STATUS
    )


def answer_to(error: GroundswellError) -> JSONResponse:
    """The response for an error of ours; a fault of the service is logged."""
    field = error.field if isinstance(error, InvalidRequest) else None
    retry_after = getattr(error, "retry_after", None)
    code = _status_code(error)
    if STATUS[code] >= 500:
        _log.error("request_failed", code=error.code, error=str(error))
    answer = problem(code, str(error), field=field, retry_after=retry_after)
    if isinstance(error, PreconditionFailed) and error.etag is not None:
        answer.headers["ETag"] = error.etag
    return answer


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GroundswellError)
    return answer_to(error)


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first: Mapping[str, Any] = error.errors()[0]
    if first["type"] == "json_invalid":
        return problem("malformed_json", f"the body is not JSON: {first['ctx']['error']}")
    where = [str(part) for part in first["loc"][1:]] or ["body"]
    field = ".".join(where)
    return problem("invalid_parameter", f"{field}: {first['msg']}", field=field)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # FastAPI could not decode a body
        return problem("malformed_json", "the body is not JSON in UTF-8")
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "internal")
    answer = problem(code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected_error", path=request.url.path, exc_info=error)
    answer = problem("internal", "unexpected error; see the service's log")
    answer.headers.update(RESPONSE_HEADERS)  # this one is sent from outside of all middleware
    return answer
