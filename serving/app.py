"""The web application: its routes, and the service behind them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware

from model.classifier import SentimentClassifier
from serving import startup
from serving.access.authentication import Authentication
from serving.access.authenticator import Authenticator
from serving.access.host_check import HostCheck, hosts_of
from serving.access.limit_version import LimitVersion
from serving.access.origin_check import OriginCheck
from serving.access.refusals import Refusals
from serving.access.request_bounds import RequestBounds
from serving.access.response_headers import ResponseHeaders
from serving.access.session_cookie import CookieJar
from serving.access.session_rotation import SessionRotation
from serving.access.sessions import Sessions
from serving.api import (
    actions,
    alerts,
    audit,
    brands,
    charts,
    comments,
    deliveries,
    digest,
    documentation,
    erasures,
    feedback,
    health,
    imports,
    keys,
    kol_moves,
    kols,
    lark,
    openapi,
    people,
    posts,
    problems,
    routing,
    score,
    silences,
    sources,
    stream,
    webhooks,
)
from serving.api.timing import RequestTiming
from serving.clock import Clock, SystemClock
from serving.metrics import Metrics
from serving.service import Service
from serving.settings import Settings
from serving.web import account, pages, sign_in

_ABOUT = (
    "Comments in, alerts out. Send comments to `POST /v1/comments`; read `GET /v1/alerts` or"
    " listen to `GET /v1/stream`. Errors are RFC 9457 problems with a stable `code`."
)


def create_app(
    settings: Settings,
    *,
    classifier: SentimentClassifier | None = None,
    clock: Clock | None = None,
) -> FastAPI:
    """The web application; its workers start with it and stop with it.

    Args:
        settings: how it is to run.
        classifier: the model; loaded as `settings.model` says if left out.
        clock: where time comes from; the machine's clock if left out.
    """
    metrics = Metrics(CollectorRegistry(), max_kols=settings.metrics_max_kols)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.service = await startup.start(
                settings, classifier, clock or SystemClock(), metrics, stack
            )
            yield

    def authenticators() -> Sequence[Authenticator]:
        service: Service = app.state.service
        return service.access.authenticators

    def limit_version() -> LimitVersion:
        service: Service = app.state.service
        return service.access.limit_version

    def sessions() -> Sessions:
        service: Service = app.state.service
        return service.access.accounts.sessions

    app = FastAPI(
        title="Groundswell",
        version=health.VERSION,
        description=_ABOUT,
        lifespan=lifespan,
        openapi_url=None,  # documentation.py has it
        generate_unique_id_function=lambda route: route.name,
        middleware=[  # in the order in which a request meets them
            Middleware(RequestTiming, metrics=metrics),
            Middleware(ResponseHeaders),
            Middleware(Refusals, refuse=problems.answer_to),
            Middleware(HostCheck, hosts=hosts_of(settings)),
            Middleware(OriginCheck, public_url=settings.public_url),
            Middleware(RequestBounds, settings=settings),
            Middleware(
                Authentication,
                authenticators=authenticators,
                limit_version=limit_version,
                refuse=problems.answer_to,
            ),
            Middleware(
                SessionRotation,
                cookies=CookieJar(settings.public_url),
                sessions=sessions,
                seconds=int(settings.session_lifetime),
            ),
        ],
    )
    app.state.settings, app.state.metrics = settings, metrics
    problems.install(app)
    openapi.install(app)
    v1 = APIRouter(prefix="/v1")
    for module in (
        comments,
        erasures,
        imports,
        score,
        posts,
        kol_moves,
        kols,  # after whatever is below /kols/{kol_id}
        alerts,
        charts,
        actions,
        stream,
        deliveries,
        digest,
        routing,
        silences,
        feedback,
        brands,
        keys,
        people,
        audit,
        lark,
        sources,
        webhooks,
    ):
        v1.include_router(module.router)
    app.include_router(v1)
    app.include_router(health.router)
    for module in (pages, sign_in, account):
        app.include_router(module.router)
    app.include_router(documentation.router)
    app.mount(documentation.STATIC, documentation.static_files())

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse("/docs")

    return app
