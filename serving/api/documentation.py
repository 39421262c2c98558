"""GET /docs and /openapi.json: the documentation of the API, without another server's scripts."""

import asyncio
import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from serving.access.scope import Scope
from serving.api.authorization import requires
from serving.api.guarded_route import GuardedRoute

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

STATIC = "/static-offline-docs"
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def static_files() -> StaticFiles:
    """The scripts and styles of the documentation; they come with a package."""
    return StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static")


@router.get("/openapi.json", dependencies=[requires(Scope.READ)])
async def get_openapi(request: Request) -> Response:
    """Get the description of the API."""
    app = request.app
    if not hasattr(app.state, "openapi"):  # takes long: not on the event loop
        app.state.openapi = await asyncio.to_thread(lambda: json.dumps(app.openapi()).encode())
    return Response(app.state.openapi, media_type="application/json")


@router.get("/docs", dependencies=[requires(Scope.READ)])
async def get_documentation(request: Request) -> HTMLResponse:
    """Show the documentation of the API."""
    root = request.scope.get("root_path", "")
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title=request.app.title,
        swagger_js_url=f"{root}{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{root}{STATIC}/favicon.png",
    )
    scripts = " ".join(_source(script) for script in _INLINE.findall(bytes(page.body)))
    policy = (
        "default-src 'none'",
        f"script-src 'self' {scripts}",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    page.headers["Content-Security-Policy"] = "; ".join(policy)
    return page


def _source(script: bytes) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(script).digest()).decode()}'"
