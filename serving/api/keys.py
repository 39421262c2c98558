"""API keys: created, listed, revoked, rotated."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Response

from serving.access.key_ring import KeyOrder
from serving.access.scope import Scope
from serving.api.authorization import Asking, Audited, Repeats, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.key_schemas import KeyIn, KeyList, KeyOut, NewKeyOut, RotateIn
from serving.api.paging import Cursor, Limit, decode_instant_cursor, encode_instant_cursor
from serving.api.problems import documented
from serving.errors import Conflict, InvalidRequest
from serving.service import Running, Service
from serving.storage.key_record import KeyLimit

router = APIRouter(tags=["keys"], route_class=GuardedRoute)
_SHOWN_ONCE = Repeats(
    "the secret was shown once. GET /v1/keys lists the new key, and POST /v1/keys/{key_id}/rotate "
    "replaces it by one with a new secret",
    secret=True,
)
KeyId = Annotated[str, Path(min_length=1, max_length=16, pattern=r"^[0-9a-f]+$")]


@router.post(
    "/keys",
    status_code=201,
    responses=documented(400, 409, 422, 503),
    dependencies=[
        requires(
            Scope.ADMIN,
            every_kol=True,
            repeats=_SHOWN_ONCE,
        )
    ],
)
async def create_key(
    body: KeyIn, service: Running, principal: Asking, note: Audited, response: Response
) -> NewKeyOut:
    """Create an API key. The answer has its secret, which is shown this once and not stored."""
    now = service.clock.now()
    note.detail.update(name=body.name, scopes=" ".join(body.scopes))
    if body.expires_at is not None and body.expires_at <= now:
        raise InvalidRequest("invalid_parameter", "expires_at is over", field="expires_at")
    if service.access.accounts.people.by_name(body.name) is not None:
        raise Conflict(
            f"a person is called {body.name!r}, and what the key does would bear their name; "
            "choose another",
            field="name",
        )
    limit = await _limit(body, service)
    if limit is not None:
        note.kols.update(limit.kols)
        note.detail["brands"] = " ".join(sorted(limit.brands))
    order = KeyOrder(body.name, frozenset(body.scopes), limit, body.expires_at)
    key, record = await service.access.keys.create(order, principal.name)
    note.detail["key_id"] = record.key_id
    response.headers["Cache-Control"] = "no-store"
    return NewKeyOut.with_secret(record, key.written, now)


@router.get(
    "/keys", responses=documented(422, 503), dependencies=[requires(Scope.ADMIN, every_kol=True)]
)
async def list_keys(service: Running, limit: Limit = 100, cursor: Cursor = None) -> KeyList:
    """List the keys, newest first, also those that were revoked. None of them is shown itself."""
    before = decode_instant_cursor(cursor, str) if cursor else None
    found = await service.access.stored_keys.page(before=before, limit=limit + 1)
    now, last = service.clock.now(), found[:limit][-1:]
    return KeyList(
        items=[KeyOut.of(await service.access.keys.get(key.key_id), now) for key in found[:limit]],
        next_cursor=encode_instant_cursor(last[0].created_at, last[0].key_id)
        if len(found) > limit
        else None,
    )


@router.get(
    "/keys/{key_id}",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True)],
)
async def get_key(key_id: KeyId, service: Running) -> KeyOut:
    """Get a key, without its secret."""
    return KeyOut.of(await service.access.keys.get(key_id), service.clock.now())


@router.post(
    "/keys/{key_id}/revoke",
    responses=documented(404, 409, 422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True, repeats=Repeats("GET the key"))],
)
async def revoke_key(key_id: KeyId, service: Running, principal: Asking, note: Audited) -> KeyOut:
    """Revoke a key: it is refused at once, and streams that it opened end."""
    record = await service.access.keys.revoke(
        key_id, principal.name, other_admin=service.access.accounts.people.has_admin()
    )
    note.detail["name"] = record.name
    return KeyOut.of(record, service.clock.now())


@router.post(
    "/keys/{key_id}/rotate",
    status_code=201,
    responses=documented(400, 404, 409, 422, 503),
    dependencies=[
        requires(
            Scope.ADMIN,
            every_kol=True,
            repeats=_SHOWN_ONCE,
        )
    ],
)
async def rotate_key(
    key_id: KeyId,
    body: RotateIn,
    service: Running,
    principal: Asking,
    note: Audited,
    response: Response,
) -> NewKeyOut:
    """Replace a key: a new secret with the same name, scopes, limits and end. The former key is
    refused after the time of grace.
    """
    grace = timedelta(seconds=body.grace_seconds)
    key, record = await service.access.keys.rotate(key_id, principal.name, grace)
    note.detail.update(name=record.name, key_id=record.key_id)
    response.headers["Cache-Control"] = "no-store"
    return NewKeyOut.with_secret(record, key.written, service.clock.now())


async def _limit(body: KeyIn, service: Service) -> KeyLimit | None:
    if body.kols is None and body.brands is None:
        return None
    names = frozenset(body.brands or ())
    if missing := names - await service.access.brands.known(names):
        raise InvalidRequest(
            "invalid_parameter",
            f"there is no brand {min(missing)!r}; GET /v1/brands lists them",
            field="brands",
        )
    kols = frozenset([await service.kols.unmerged(kol_id) for kol_id in body.kols or ()])
    return KeyLimit(kols, names)
