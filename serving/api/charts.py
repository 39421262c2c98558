"""Pictures of alerts."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from serving.api.problems import documented
from serving.errors import InvalidRequest
from serving.locales.wording import Wording, languages, wording
from serving.service import Running

router = APIRouter(tags=["alerts"])
_PNG = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
_MAX_AGE = 30  # seconds: an open alert's chart grows by the minute


@router.get(
    "/alerts/{alert_id}/chart.png",
    response_class=Response,
    responses={
        200: {"description": "The chart, 1080 x 660 pixels."} | _PNG,
        304: {"description": "It is as the `If-None-Match` says."},
        **documented(404, 422, 429, 503),
    },
)
async def get_alert_chart(
    alert_id: str,
    service: Running,
    language: Annotated[str, Query(description="Of the words in it: en, vi.")] = "en",
    timezone: Annotated[str, Query(description="Of its times, like Asia/Ho_Chi_Minh.")] = "UTC",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A chart of the comments round an alert, the negative ones among them, and what is usual."""
    words = _words(language, timezone)
    chart = await service.charts.chart_of(alert_id)
    told = f"{chart!r} {words.language} {words.zone.key}".encode("utf-8", "surrogatepass")
    etag = f'"{hashlib.blake2b(told, digest_size=16).hexdigest()}"'
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
