"""POST /v1/score: scores texts without storing them."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError

from serving.access.scope import Scope
from serving.api.authorization import requires
from serving.api.bodies import SplitJson, read_json
from serving.api.guarded_route import GuardedRoute
from serving.api.problems import documented
from serving.api.schemas import PredictionOut, ScoreIn, ScoreOut, ScoreText
from serving.errors import InvalidRequest
from serving.service import Running

router = APIRouter(tags=["score"], route_class=GuardedRoute)

_TEXT: TypeAdapter[str] = TypeAdapter(ScoreText)
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": ScoreIn.model_json_schema()}},
}


@router.post(
    "/score",
    responses=documented(400, 422, 429, 503),
    dependencies=[requires(Scope.READ)],
    openapi_extra={"requestBody": _BODY},
)
async def post_score(request: Request, service: Running) -> ScoreOut:
    """Score texts of any language and length. Nothing is stored."""
    predictions = await service.batcher.predict(await _texts(await read_json(request)))
    return ScoreOut(
        model=service.model_id,
        predictions=[PredictionOut.model_validate(p, from_attributes=True) for p in predictions],
    )


async def _texts(body: SplitJson) -> list[str]:
    """The texts to score; each is checked by itself, and the first fault ends it.

    Raises:
        InvalidRequest: `invalid_parameter`.
    """
    try:
        whole = ScoreIn.model_validate(body.outer)
    except ValidationError as error:
        raise _fault(error, ()) from None
    if not body.cuts:
        return whole.texts
    if whole.texts:
        raise InvalidRequest("invalid_parameter", "texts: is given twice", field="texts")
    texts: list[str] = []
    async for text in body.items():
        try:
            texts.append(_TEXT.validate_python(text))
        except ValidationError as error:
            raise _fault(error, ("texts", len(texts))) from None
    return texts


def _fault(error: ValidationError, place: tuple[str | int, ...]) -> InvalidRequest:
    first: Mapping[str, Any] = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in (*place, *first["loc"])) or "body"
    return InvalidRequest("invalid_parameter", f"{field}: {first['msg']}", field=field)
