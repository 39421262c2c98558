"""GET /v1/digest and POST /v1/digests/{name}/send: digests of a day or a week."""

from contextlib import suppress
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from serving.access.scope import Scope
from serving.api.authorization import Asking, Repeats, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_params import RawKolId, seen
from serving.api.problems import documented
from serving.errors import InvalidRequest, NotFound
from serving.kol_limit import KolLimit
from serving.locales.wording import time_zone
from serving.notify.config.names import NAME
from serving.notify.config.period import Period, period_of
from serving.notify.config.subscription import Subscription
from serving.reports.digest_builder import DigestRequest
from serving.service import Running, Service
from serving.storage.digest_record import Digest, DigestInterval

router = APIRouter(tags=["digests"], route_class=GuardedRoute)
Name = Annotated[str, Path(pattern=NAME, description="Name of a digest in the channels file.")]
_FIRST = date(1970, 1, 1)
_DAY = "A day of the period; default: the last complete period."


class SendIn(BaseModel):
    """The period of the digest to send."""

    model_config = ConfigDict(extra="forbid")

    every: DigestInterval = DigestInterval.DAY
    day: date | None = Field(None, ge=_FIRST, description=_DAY)


class SentOut(BaseModel):
    """A digest that was added to the outbox."""

    name: str
    every: DigestInterval
    first: date
    last: date
    channels: list[str]


@router.get("/digest", responses=documented(404, 422, 503), dependencies=[requires(Scope.READ)])
async def get_digest(
    service: Running,
    principal: Asking,
    every: Annotated[
        DigestInterval, Query(description="A day, or a week that starts on Monday.")
    ] = DigestInterval.DAY,
    day: Annotated[date | None, Query(ge=_FIRST, description=_DAY)] = None,
    timezone: Annotated[
        str | None,
        Query(description="Time zone of the days, such as Asia/Ho_Chi_Minh; default: UTC."),
    ] = None,
    kol_id: Annotated[
        list[RawKolId] | None, Query(max_length=1000, description="Only these KOLs; repeatable.")
    ] = None,
    brand: Annotated[str | None, Query(description="Only the KOLs of this brand.")] = None,
    name: Annotated[
        str | None,
        Query(description="Use the KOLs and the time zone of this digest in the channels file."),
    ] = None,
) -> Digest:
    """Get a digest of a day or a week: mood by KOL, incidents, recoveries and false alarms."""
    visible = principal.kols
    resolved = [await seen(one, service, visible) for one in kol_id or ()]
    chosen, zone, title = _none_or_all(resolved), _zone(timezone), None
    for one in chosen or ():
        await service.kols.get(one)
    if brand is not None:
        found = await _brands(service, visible)
        if brand not in found:
            raise NotFound(
                f"there is no brand {brand!r}; there are: {', '.join(sorted(found)) or 'none'}"
            )
        chosen, title = (chosen or frozenset()) | found[brand], brand
    if name is not None:
        subscription = await _subscription(name, service, visible, whole=False)
        title = name
        chosen = subscription.kols if chosen is None else chosen
        zone = subscription.zone if timezone is None else zone
    now = service.clock.now()
    return await service.digests.write(
        DigestRequest(_period(every, day, zone, now), chosen, title, visible=visible), now
    )


@router.post(
    "/digests/{name}/send",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.ACT, repeats=Repeats("GET /v1/deliveries lists what was sent"))],
)
async def send_digest(name: Name, body: SendIn, service: Running, principal: Asking) -> SentOut:
    """Send a digest of the channels file now, even if it was sent before."""
    subscription = await _subscription(name, service, principal.kols)
    period = _period(body.every, body.day, subscription.zone, service.clock.now())
    await service.digest_scheduler.send(name, period)
    return SentOut(
        name=name,
        every=period.every,
        first=period.first,
        last=period.last,
        channels=list(subscription.channels),
    )


async def _brands(service: Service, visible: KolLimit) -> dict[str, frozenset[str]]:
    """The brands with a KOL that is to be seen; one of the channels file has its KOLs too."""
    brands = dict(service.notification_config.brands)
    for brand in await service.access.brands.all():
        brands[brand.name] = brand.kols | brands.get(brand.name, frozenset())
    if visible.is_everything:
        return brands
    leads = await service.kols.visible_leads(frozenset().union(*brands.values()), visible)
    return {name: kols for name, kols in brands.items() if kols & leads.keys()}


async def _subscription(
    name: str, service: Service, visible: KolLimit, *, whole: bool = True
) -> Subscription:
    """A digest of the channels file, whose KOLs are to be seen.

    Args:
        name: as written there.
        service: whose file.
        visible: the KOLs that are to be seen.
        whole: whether it must be all of its KOLs; one of them is enough to read a digest, in which
            the others are left out.

    Raises:
        NotFound: there is none of that name.
    """
    if visible.is_everything:
        return service.digest_scheduler.subscription(name)
    with suppress(NotFound):
        subscription = service.digest_scheduler.subscription(name)
        kols = subscription.kols
        if kols is None and not whole:
            return subscription
        seen_of_it = await service.kols.visible_leads(kols or (), visible)
        if seen_of_it and (not whole or len(seen_of_it) == len(kols or ())):
            return subscription
    raise NotFound(f"the channels file has no digest {name!r} of KOLs that you see")


def _none_or_all(ids: list[str]) -> frozenset[str] | None:
    return frozenset(ids) if ids else None


def _zone(name: str | None) -> ZoneInfo:
    try:
        return time_zone(name or "UTC")
    except ValueError as error:
        raise InvalidRequest("invalid_parameter", f"timezone: {error}", field="timezone") from None


def _period(every: DigestInterval, day: date | None, zone: ZoneInfo, now: datetime) -> Period:
    """The period that contains `day`; the last complete one without it.

    Raises:
        InvalidRequest: `invalid_range`; the period has not begun yet.
    """
    if day is None:
        return period_of(every, now.astimezone(zone).date(), zone).before
    period = period_of(every, day, zone)
    if period.since >= now:
        raise InvalidRequest("invalid_range", f"the {every} has not begun yet", field="day")
    return period
