"""The web application: its routes, and the service behind them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry

from model.classifier import SentimentClassifier
from serving import startup
from serving.access.authentication import Authentication
from serving.access.authenticator import Authenticator
from serving.api import (
    actions,
    alerts,
    charts,
    comments,
    deliveries,
    digest,
    feedback,
    health,
    imports,
    kol_moves,
    kols,
    posts,
    problems,
    routing,
    score,
    silences,
    stream,
)
from serving.api.timing import RequestTiming
from serving.clock import Clock, SystemClock
from serving.metrics import Metrics
from serving.service import Service
from serving.settings import Settings
from serving.web import pages

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

    app = FastAPIOffline(
        title="Groundswell",
        version=health.VERSION,
        description=_ABOUT,
        lifespan=lifespan,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )

    def authenticators() -> Sequence[Authenticator]:
        service: Service = app.state.service
        return service.authenticators

    app.add_middleware(Authentication, authenticators=authenticators, refuse=problems.answer_to)
    app.add_middleware(RequestTiming, metrics=metrics)
    problems.install(app)
    v1 = APIRouter(prefix="/v1")
    for module in (
        comments,
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
    ):
        v1.include_router(module.router)
    app.include_router(v1)
    app.include_router(health.router)
    app.include_router(pages.router)

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse("/docs")

    return app
