"""Health, readiness, status and metrics of the service."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving.access.scope import Scope
from serving.api.authorization import Asking, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.problems import documented
from serving.api.schemas import CheckOut, LogOut, ReadyOut, StatusOut
from serving.kol_limit import KolLimit
from serving.metrics import OTHER
from serving.service import Running, Service

router = APIRouter(tags=["health"], route_class=GuardedRoute)
VERSION = version("groundswell")
_LATE = timedelta(minutes=5)  # for which a message may wait
_MOST_NAMED = 5  # KOLs and comments that the status names
_MOST_PLATFORMS = 50  # with a metric of their own


@router.get("/healthz")
async def healthz() -> CheckOut:
    """Check that the process answers."""
    return CheckOut()


@router.get("/readyz", responses={503: {"model": ReadyOut, "description": "A worker is down"}})
async def readyz(response: Response, service: Running) -> ReadyOut:
    """Check that comments can be stored, scored and monitored. `notices` says what else needs a
    look, such as a jump of the host's clock; trouble with messages is in `GET /v1/status`.
    """
    ready = service.ready
    response.status_code = 200 if ready else 503
    return ReadyOut(
        status="ready" if ready else "not_ready",
        workers=service.workers,
        notices=[*_unjudged(service), *_notices(service)],
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **documented()},
    dependencies=[requires(Scope.READ, every_kol=True)],
)
async def metrics(service: Running) -> Response:
    """Get the metrics in the Prometheus text format."""
    service.metrics.show_service(VERSION, service.model_id, service.workers)
    clock = service.clock.status()
    service.metrics.show_clock(clock)
    now = clock.now
    service.metrics.show_fast_clocks(
        {
            fast.platform: fast.by.total_seconds()
            for fast in service.group_commit.fast_clocks.reported(now)
        }
    )
    service.metrics.show_open_alerts(
        await service.alerts.open_by_kol(service.metrics.named_kols, rest=OTHER),
        await service.alerts.muted_by_kol(now),
    )
    service.metrics.backlog.set(await service.log.count_after(service.pipeline.progress.seq))
    service.metrics.reruns.set(await service.reruns.count())
    service.sources.supervisor.show_metrics()
    service.metrics.show_held([one.kol_id for one in await service.fault_store.held()])
    service.metrics.now_set_aside.set(await service.fault_store.count_set_aside())
    oldest = await service.deliveries.oldest_waiting(now)
    service.metrics.show_delays(
        {
            (delay.platform, quantile): seconds.total_seconds()
            for delay in await service.delays.of_platforms(_MOST_PLATFORMS)
            for quantile, seconds in (("0.1", delay.least), ("0.9", delay.most))
            if seconds is not None
        }
    )
    service.metrics.show_waiting(
        {
            channel: (now - oldest[channel]).total_seconds() if channel in oldest else 0.0
            for channel in service.dispatcher.channels
        }
    )
    # Of thousands of KOLs that is work for more than a moment.
    shown = await asyncio.to_thread(generate_latest, service.metrics.registry)
    return Response(shown, media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/v1/status", responses=documented(503), dependencies=[requires(Scope.READ, Scope.INGEST)]
)
async def get_status(service: Running, principal: Asking) -> StatusOut:
    """Get the status of the service and how much of the comment log is processed. A principal that
    is limited to some KOLs gets the numbers of these.
    """
    visible, done = principal.kols, service.pipeline.progress.seq
    everything = visible.is_everything
    return StatusOut(
        version=VERSION,
        model=service.model_id,
        alive=service.ready,
        log=LogOut(
            last_seq=await service.log.last_seq() if everything else None,
            processed_seq=done if everything else None,
            backlog=await service.log.count_after(done, visible),
        ),
        reruns=await service.reruns.count(visible),
        kols=await service.kols.count(visible),
        open_alerts=await service.alerts.open_count(visible),
        notices=[
            *await _faults(service, visible),
            *(_notices(service) if everything else ()),
            *await _delivery_notices(service, visible),
        ],
    )


async def _delivery_notices(service: Service, visible: KolLimit) -> list[str]:
    """What keeps people from being notified."""
    now = service.clock.now()
    detecting = ("group_commit", "model", "pipeline")
    found = [
        f"the worker {name} has stopped; restart the service"
        for name, runs in service.workers.items()
        if not runs and name not in detecting
    ]
    if visible.is_everything and (given_up := sorted(service.escalator.given_up)):
        found.append(
            f"{len(given_up)} alert(s), such as {given_up[0]}, cannot be escalated or reported "
            "after a mute because of an unexpected error, which the log has as alert_failed; tell "
            "people yourself, and restart the service once it is corrected"
        )
    for channel, since in (await service.deliveries.oldest_waiting(now, visible)).items():
        if now - since > _LATE:
            minutes = (now - since).total_seconds() / 60
            found.append(
                f"a message for the channel {channel} has been waiting for {minutes:.0f} minutes; "
                "'groundswell notify list' shows why"
            )
    return found


def _unjudged(service: Service) -> Iterator[str]:
    """That something could not be judged; how much is not for everybody."""
    if service.pipeline.faults.held or service.pipeline.faults.set_aside:
        yield (
            "some comments cannot be judged because of an unexpected error; GET /v1/status and the "
            "log say more"
        )


async def _faults(service: Service, visible: KolLimit) -> list[str]:
    """What could not be judged."""
    held = await service.fault_store.held(visible, limit=_MOST_NAMED + 1)
    found = [
        f"the KOL {one.kol_id!r} has not been judged since {one.since:%Y-%m-%dT%H:%M:%SZ} because "
        f"of an unexpected error ({one.error}), which the log has as kol_held; its comments are "
        "kept, and it is tried again every hour at most"
        for one in held[:_MOST_NAMED]
    ]
    if len(held) > _MOST_NAMED:
        found.append("more KOLs are not judged; the metric groundswell_held_kols names them")
    found += [
        f"the {one.kind.replace('_', ' ')} {one.place} of the KOL {one.kol_id!r} was set aside "
        f"at {one.at:%Y-%m-%dT%H:%M:%SZ} because of an unexpected error ({one.error}); "
        "'groundswell db rebuild' uses it once that is corrected"
        for one in await service.fault_store.set_aside(_MOST_NAMED, visible)
    ]
    count = await service.fault_store.count_set_aside(visible)
    if count > _MOST_NAMED:
        found.append(f"{count - _MOST_NAMED} more comments or changes were set aside before")
    return found


def _notices(service: Service) -> Iterator[str]:
    """What somebody should look at although the service is ready."""
    clock = service.clock.status()
    if clock.jump is not None:
        yield (
            f"the host's clock jumped by {clock.jump.by.total_seconds():+.0f} s at "
            f"{clock.jump.at:%Y-%m-%dT%H:%M:%SZ}; Groundswell keeps its own time; set the clock "
            "right, or restart the service if the new time is right"
        )
    for fast in service.group_commit.fast_clocks.reported(clock.now):
        yield (
            f"comments from {fast.platform} claim to be from up to {fast.by.total_seconds():.0f} s "
            "after they arrived; the sender's clock is fast, or this host's is slow"
        )
