"""Where platforms call: each source verifies what is sent to its own address."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from serving.errors import InvalidRequest
from serving.service import Running
from serving.sources.faults import BadAnswer
from serving.sources.source import WebhookRequest

router = APIRouter(include_in_schema=False)
Token = Annotated[str, Path(min_length=1, max_length=64)]


@router.get("/webhooks/{token}")
async def answer_handshake(token: Token, request: Request, service: Running) -> Response:
    """Answer the question with which a platform checks a webhook. It needs no key: the source
    checks what the platform sends with it. Whatever does not verify is answered with 404.
    """
    return await _take(token, request, service, b"")


@router.post("/webhooks/{token}")
async def take_delivery(token: Token, request: Request, service: Running) -> Response:
    """Take what a platform sends to the webhook of a source. It needs no key: the source checks
    the signature. Whatever does not verify is answered with 404; the answer to what does comes
    after the commit.
    """
    return await _take(token, request, service, await request.body())


async def _take(token: str, request: Request, service: Running, body: bytes) -> Response:
    call = WebhookRequest(
        method=request.method,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
    try:
        answer = await service.sources.supervisor.receive(token, call)
    except BadAnswer as fault:
        raise InvalidRequest("malformed_request", str(fault)) from None
    return Response(answer.body, answer.status, media_type=answer.content_type)
