"""Posts: what KOLs published."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import ValidationError

from serving.access.scope import Scope
from serving.api.authorization import Asking, requires
from serving.api.bodies import read_json
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_params import KolId, all_usable
from serving.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from serving.api.post_schemas import (
    PostDetailOut,
    PostIn,
    PostList,
    PostOut,
    PostReceiptOut,
    PostSubmissionOut,
)
from serving.api.problems import documented
from serving.errors import InvalidRequest
from serving.service import Running
from serving.storage.comment_update import CommentOutcome
from serving.storage.post_store import PostKey, key_of

router = APIRouter(tags=["posts"], route_class=GuardedRoute)

_READINGS_SHOWN = 1000


def _inlined(schema: Any, referenced: dict[str, Any]) -> Any:
    """A JSON schema with what it refers to put in place."""
    if isinstance(schema, list):
        return [_inlined(one, referenced) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if (name := schema.get("$ref")) is not None:
        schema = referenced[name.rpartition("/")[2]]
    return {key: _inlined(value, referenced) for key, value in schema.items() if key != "$defs"}


_SCHEMA = PostIn.model_json_schema()
_POST = _inlined(_SCHEMA, _SCHEMA["$defs"])
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"anyOf": [_POST, {"type": "array", "items": _POST, "minItems": 1}]}
        }
    },
}


@router.post(
    "/posts",
    responses=documented(400, 404, 422, 429, 503),
    openapi_extra={"requestBody": _BODY},
    dependencies=[requires(Scope.INGEST)],
)
async def send_posts(request: Request, service: Running, principal: Asking) -> PostSubmissionOut:
    """Send posts: one or a list. If one is not valid, nothing is stored.

    Send a post again with what is new: its counts, another text, a further KOL. Posts that comments
    name need not be sent; an alert names them by their ids then.
    """
    now = service.clock.now()
    body = await read_json(request)
    if body.is_empty:
        raise InvalidRequest("invalid_parameter", "the list is empty; send at least one post")
    posts: list[PostIn] = []
    fields: dict[str, str] = {}  # by the KOL that is named there first
    async for item in body.items():
        place = f"{len(posts)}." if body.cuts else ""
        try:
            post = PostIn.model_validate(item, context=now)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = place + (".".join(str(part) for part in first["loc"]) or "post")
            raise InvalidRequest(
                "invalid_parameter", f"{field}: {first['msg']}", field=field
            ) from None
        posts.append(post)
        for kol_id in post.kols:
            fields.setdefault(kol_id, f"{place}kols")
    kol_ids = await all_usable(fields, service, principal.kols)
    sent = [post.sent((kol_ids[kol_id] for kol_id in post.kols), now) for post in posts]
    outcomes = await service.posts.save(sent, now, principal.kols)
    return PostSubmissionOut(
        accepted=outcomes.count(CommentOutcome.ACCEPTED),
        updated=outcomes.count(CommentOutcome.UPDATED),
        duplicates=outcomes.count(CommentOutcome.DUPLICATE),
        items=[
            PostReceiptOut(platform=post.platform, post_id=post.post_id, status=outcome)
            for post, outcome in zip(sent, outcomes, strict=True)
        ],
    )


@router.get(
    "/posts/{platform}/{post_id:path}",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def get_post(
    platform: Annotated[str, Path(max_length=64)],
    post_id: Annotated[str, Path(max_length=256)],
    service: Running,
    principal: Asking,
) -> PostDetailOut:
    """Get a post and its counts over time."""
    post = await service.posts.get(platform, post_id, principal.kols)
    series = await service.posts.counts(platform, post_id, limit=_READINGS_SHOWN)
    return PostDetailOut.of(post, series)


@router.get(
    "/kols/{kol_id:path}/posts",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.READ)],
)
async def list_posts(
    kol_id: KolId,
    service: Running,
    principal: Asking,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> PostList:
    """List the posts of a KOL, the last published first."""
    await service.kols.get(kol_id)
    before = None
    if cursor:
        published, platform, post_id = decode_cursor(cursor, int, str, str)
        before = PostKey(int(published), str(platform), str(post_id))
    found = await service.posts.page(kol_id, before=before, limit=limit + 1, visible=principal.kols)
    last = key_of(found[limit - 1]) if len(found) > limit else None
    return PostList(
        items=[PostOut.model_validate(post) for post in found[:limit]],
        next_cursor=encode_cursor(last.published, last.platform, last.post_id) if last else None,
    )
