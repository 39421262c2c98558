"""POST /v1/score: scores texts without storing them."""

from fastapi import APIRouter

from serving.access.scope import Scope
from serving.api.authorization import requires
from serving.api.problems import documented
from serving.api.schemas import PredictionOut, ScoreIn, ScoreOut
from serving.errors import InvalidRequest
from serving.service import Running

router = APIRouter(tags=["score"])


@router.post(
    "/score", responses=documented(400, 422, 429, 503), dependencies=[requires(Scope.READ)]
)
async def post_score(body: ScoreIn, service: Running) -> ScoreOut:
    """Score texts of any language and length. Nothing is stored."""
    most = service.settings.max_items
    if len(body.texts) > most:
        raise InvalidRequest(
            "too_many_items",
            f"{len(body.texts)} texts in one request, at most {most}; split the list",
            field="texts",
        )
    predictions = await service.batcher.predict(body.texts)
    return ScoreOut(
        model=service.model_id,
        predictions=[PredictionOut.model_validate(p, from_attributes=True) for p in predictions],
    )
