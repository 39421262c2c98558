"""What each route of the service requires, as it is meant to be."""

from typing import Any
from urllib.parse import quote

from fastapi.routing import APIRoute, iter_route_contexts

from serving.api.authorization import Requirement
from serving.app import create_app
from serving.settings import Settings


def routes() -> list[tuple[str, str, Requirement | None]]:
    """(method, path, requirement) of every route of ours."""
    found = []
    for context in iter_route_contexts(create_app(Settings(_env_file=None)).router.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            needed = [
                one.dependency
                for one in route.dependencies
                if isinstance(one.dependency, Requirement)
            ]
            assert context.path is not None
            requirement = needed[0] if needed else None
            found += [(method, context.path, requirement) for method in context.methods or ()]
    return found


ROUTES = routes()
# Who gets an answer from each route: anybody, or a principal with one of these scopes; where it
# says "every KOL", none that is limited to some. A route that is not in here fails a test.
RULES = {
    "GET /": "read",
    "GET /account": "read",
    "POST /account/password": "read",
    "POST /account/sign-out-everywhere": "read",
    "GET /alerts/{alert_id}": "read",
    "POST /alerts/{alert_id}": "act",
    "GET /docs": "read",
    "GET /healthz": "anybody",
    "GET /metrics": "read, every KOL",
    "GET /openapi.json": "read",
    "GET /readyz": "anybody",
    "GET /sign-in": "anybody",
    "POST /sign-in": "anybody",
    "GET /sign-in/callback": "anybody",
    "POST /sign-in/password": "anybody",
    "GET /sign-in/provider": "anybody",
    "POST /sign-out": "read",
    "GET /v1/alerts": "read",
    "GET /v1/alerts/{alert_id}": "read",
    "POST /v1/alerts/{alert_id}/actions": "act",
    "GET /v1/alerts/{alert_id}/chart.png": "read",
    "GET /v1/audit": "admin, every KOL",
    "GET /v1/audit.csv": "admin, every KOL",
    "DELETE /v1/authors/{author_id:path}": "admin, every KOL",
    "GET /v1/authors/{author_id:path}/export": "admin, every KOL",
    "GET /v1/brands": "read",
    "DELETE /v1/brands/{brand}": "manage, every KOL",
    "GET /v1/brands/{brand}": "read",
    "PUT /v1/brands/{brand}": "manage, every KOL",
    "POST /v1/comments": "ingest",
    "DELETE /v1/comments/{platform}/{comment_id:path}": "manage",
    "GET /v1/comments/{platform}/{comment_id:path}": "read",
    "GET /v1/deliveries": "read",
    "POST /v1/deliveries/{delivery_id}/resend": "act",
    "GET /v1/digest": "read",
    "POST /v1/digests/{name}/send": "act",
    "GET /v1/feedback": "read",
    "GET /v1/imports": "read or ingest",
    "POST /v1/imports": "ingest",
    "GET /v1/imports/{import_id}": "read or ingest",
    "GET /v1/imports/{import_id}/rejected.csv": "read or ingest",
    "GET /v1/keys": "admin, every KOL",
    "POST /v1/keys": "admin, every KOL",
    "GET /v1/keys/{key_id}": "admin, every KOL",
    "POST /v1/keys/{key_id}/revoke": "admin, every KOL",
    "POST /v1/keys/{key_id}/rotate": "admin, every KOL",
    "GET /v1/kols": "read",
    "DELETE /v1/kols/{kol_id:path}": "manage",
    "GET /v1/kols/{kol_id:path}": "read",
    "PUT /v1/kols/{kol_id:path}": "manage",
    "POST /v1/kols/{kol_id:path}/archive": "manage",
    "GET /v1/kols/{kol_id:path}/comments": "read",
    "GET /v1/kols/{kol_id:path}/followers": "read",
    "POST /v1/kols/{kol_id:path}/followers": "ingest",
    "POST /v1/kols/{kol_id:path}/merge": "manage",
    "GET /v1/kols/{kol_id:path}/mood": "read",
    "GET /v1/kols/{kol_id:path}/policy": "read",
    "PUT /v1/kols/{kol_id:path}/policy": "manage",
    "GET /v1/kols/{kol_id:path}/posts": "read",
    "POST /v1/kols/{kol_id:path}/rename": "manage",
    "POST /v1/kols/{kol_id:path}/unarchive": "manage",
    "POST /v1/kols/{kol_id:path}/unmerge": "manage",
    "GET /v1/outages": "read",
    "GET /v1/people": "admin, every KOL",
    "POST /v1/people": "admin, every KOL",
    "GET /v1/people/{person}": "admin, every KOL",
    "PATCH /v1/people/{person}": "admin, every KOL",
    "POST /v1/people/{person}/disable": "admin, every KOL",
    "POST /v1/people/{person}/enable": "admin, every KOL",
    "POST /v1/people/{person}/reset-password": "admin, every KOL",
    "POST /v1/people/{person}/sign-out": "admin, every KOL",
    "POST /v1/lark/callback": "anybody",
    "POST /v1/posts": "ingest",
    "GET /v1/posts/{platform}/{post_id:path}": "read",
    "GET /v1/routing": "read, every KOL",
    "POST /v1/routing/preview": "read",
    "POST /v1/score": "read",
    "GET /v1/silences": "read",
    "POST /v1/silences": "act",
    "GET /v1/silences/{silence_id}": "read",
    "POST /v1/silences/{silence_id}/expire": "act",
    "GET /v1/source-types": "read",
    "GET /v1/sources": "read",
    "POST /v1/sources": "manage",
    "POST /v1/sources/preview": "manage",
    "DELETE /v1/sources/{source_id}": "manage",
    "GET /v1/sources/{source_id}": "read",
    "PATCH /v1/sources/{source_id}": "manage",
    "POST /v1/sources/{source_id}/pause": "manage",
    "POST /v1/sources/{source_id}/resume": "manage",
    "POST /v1/sources/{source_id}/test": "manage",
    "GET /v1/status": "read or ingest",
    "GET /v1/stream": "read",
    "GET /v1/webhooks/{token}": "anybody",
    "POST /v1/webhooks/{token}": "anybody",
}


def filled(path: str, values: dict[str, Any]) -> str:
    """A path with values for its parameters."""
    quoted = {name: quote(str(value), safe="") for name, value in values.items()}
    return path.replace(":path", "").format(**quoted)
