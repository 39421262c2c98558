"""GET /v1/alerts/{alert_id}/chart.png: the chart of an alert."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import WithJsonSchema

from serving.access.scope import Scope
from serving.api.authorization import Asking, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.problems import documented
from serving.errors import InvalidRequest
from serving.locales.wording import Wording, languages, wording
from serving.service import Running

router = APIRouter(tags=["alerts"], route_class=GuardedRoute)
_PNG = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
_Language = Annotated[str, WithJsonSchema({"type": "string", "enum": sorted(languages())})]
_MAX_AGE = 30  # seconds: an open alert's chart grows by the minute


@router.get(
    "/alerts/{alert_id}/chart.png",
    response_class=Response,
    responses={
        200: {"description": "The chart, 1080 x 660 pixels."} | _PNG,
        304: {"description": "The chart has not changed; its ETag is that of `If-None-Match`."},
        **documented(404, 422, 429, 503),
    },
    dependencies=[requires(Scope.READ)],
)
async def get_alert_chart(
    alert_id: str,
    service: Running,
    principal: Asking,
    language: Annotated[_Language, Query(description="Language of the labels: en or vi.")] = "en",
    timezone: Annotated[
        str, Query(description="Time zone of the labels, such as Asia/Ho_Chi_Minh.")
    ] = "UTC",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Get a chart of the comments around an alert, the negative comments, and what is normal."""
    words = _words(language, timezone)
    chart = await service.charts.chart_of(alert_id, visible=principal.kols)
    drawn = f"{chart!r} {words.language} {words.zone.key}".encode("utf-8", "surrogatepass")
    etag = f'"{hashlib.blake2b(drawn, digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={_MAX_AGE}"}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    png = await service.charts.draw(chart, words)
    return Response(png, media_type="image/png", headers=headers)


def _words(language: str, timezone: str) -> Wording:
    if language not in languages():
        raise InvalidRequest(
            "invalid_parameter",
            f"language: must be one of {', '.join(languages())}",
            field="language",
        )
    try:
        return wording(language, timezone)
    except ValueError as error:
        raise InvalidRequest("invalid_parameter", f"timezone: {error}", field="timezone") from error
