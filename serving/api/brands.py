"""Brands, and the KOLs that belong to each."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Response

from serving.access.scope import Scope
from serving.api.authorization import Asking, Audited, requires
from serving.api.brand_schemas import BrandIn, BrandList, BrandName, BrandOut
from serving.api.entity_tag import Matching
from serving.api.guarded_route import GuardedRoute
from serving.api.problems import documented
from serving.errors import NotFound
from serving.service import Running

router = APIRouter(tags=["brands"], route_class=GuardedRoute)
BrandPath = Annotated[BrandName, Path(description="Small letters, digits, `.`, `_` and `-`.")]


@router.get("/brands", responses=documented(503), dependencies=[requires(Scope.READ)])
async def list_brands(service: Running, principal: Asking) -> BrandList:
    """List the brands and their KOLs. A limited principal sees those of its KOLs only."""
    found = [BrandOut.of(brand, principal.kols) for brand in await service.access.brands.all()]
    everything = principal.kols.kol_ids is None
    return BrandList(items=[brand for brand in found if everything or brand.kols])


@router.get(
    "/brands/{brand}", responses=documented(404, 422, 503), dependencies=[requires(Scope.READ)]
)
async def get_brand(brand: BrandPath, service: Running, principal: Asking) -> BrandOut:
    """Get a brand."""
    shown = BrandOut.of(await service.access.brands.get(brand), principal.kols)
    if principal.kols.kol_ids is not None and not shown.kols:
        raise NotFound(f"there is no brand {brand!r}; GET /v1/brands lists them")
    return shown


@router.put(
    "/brands/{brand}",
    responses=documented(400, 422, 503),
    dependencies=[requires(Scope.MANAGE, every_kol=True)],
)
async def put_brand(
    brand: BrandPath,
    body: BrandIn,
    service: Running,
    principal: Asking,
    note: Audited,
    if_match: Matching,
    if_none_match: Annotated[
        Literal["*"] | None,
        Header(description="`*` to add a brand only: 412 if there is one of this name."),
    ] = None,
) -> BrandOut:
    """Add a brand, or replace its KOLs. Keys and people that are limited to it see the new KOLs
    from their next request on. A KOL may belong to several brands.
    """
    kols = {await service.kols.unmerged(kol_id) for kol_id in body.kols}
    note.kols.update(kols)
    async with if_match.editing(f"brand {brand!r}", partial(get_brand, brand, service, principal)):
        brands = service.access.brands
        store = brands.put if if_none_match is None else brands.add
        await store(brand, kols, service.clock.now())
        service.access.limit_version.add()
        return await get_brand(brand, service, principal)


@router.delete(
    "/brands/{brand}",
    status_code=204,
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.MANAGE, every_kol=True)],
)
async def delete_brand(
    brand: BrandPath, service: Running, principal: Asking, note: Audited, if_match: Matching
) -> Response:
    """Delete a brand; its KOLs stay. Keys and people that are limited to it see nothing through
    it.
    """
    found = await service.access.brands.get(brand)
    note.kols.update(found.kols)
    async with if_match.editing(f"brand {brand!r}", partial(get_brand, brand, service, principal)):
        # People first: what fails between the two can be done again, for the brand is still there.
        await service.access.accounts.people.drop_brand(brand)
        await service.access.brands.delete(brand)
        service.access.limit_version.add()
    return Response(status_code=204)
