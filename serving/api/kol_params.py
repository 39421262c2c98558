"""Ids of KOLs in paths and bodies."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Path
from pydantic import StringConstraints

from serving.api.authorization import Asking
from serving.errors import InvalidRequest
from serving.ingest.kol_id import fits, fitting
from serving.ingest.values.invalid_value import InvalidValue
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.service import Running, Service
from serving.storage.kol_store import no_kol

RawKolId = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")
]
_InPath = Annotated[RawKolId, Path()]


def fit(kol_id: str, *, field: str) -> str:
    """An id that a KOL can be given.

    Raises:
        InvalidRequest: it has characters that an id cannot have.
    """
    try:
        return fitting(kol_id)
    except InvalidValue as error:
        raise InvalidRequest(
            "invalid_parameter", f"{field}: {kol_id!r} {error.message}", field=field
        ) from None


async def seen(kol_id: str, service: Service, visible: KolLimit) -> str:
    """The id of the KOL that an id leads to.

    Raises:
        NotFound: that KOL is not to be seen; the message is the same if there is none.
    """
    if visible.is_everything:
        return await service.kols.resolve(kol_id)
    leads = await service.kols.visible_leads([kol_id], visible)
    if kol_id not in leads:
        raise no_kol(kol_id)
    return leads[kol_id]


async def usable(
    kol_id: str, service: Service, visible: KolLimit = EVERY_KOL, *, field: str = "kol_id"
) -> str:
    """As `all_usable`, for one id."""
    return (await all_usable({kol_id: field}, service, visible))[kol_id]


async def all_usable(
    kol_ids: Mapping[str, str], service: Service, visible: KolLimit = EVERY_KOL
) -> dict[str, str]:
    """The ids of KOLs that there are, or of those that may come, by the ids that were sent.

    Args:
        kol_ids: as they were sent, and where: the field.
        service: knows the KOLs.
        visible: the KOLs that whoever sent it may see.

    Raises:
        InvalidRequest: one has characters that an id cannot have, and no KOL has it.
        NotFound: a KOL is not to be seen.
    """
    if visible.is_everything:
        leads = await service.kols.resolve_all(kol_ids)
    else:
        leads = await service.kols.visible_leads(kol_ids, visible)
    unfit = [resolved for resolved in leads.values() if not fits(resolved)]
    registered = (await service.kols.known(unfit, [])).registered if unfit else frozenset()
    found = {}
    for kol_id, field in kol_ids.items():
        if kol_id not in leads:
            raise no_kol(kol_id)
        resolved = leads[kol_id]
        good = fits(resolved) or resolved in registered
        found[kol_id] = resolved if good else fit(resolved, field=field)
    return found


async def _registered(kol_id: _InPath, service: Running, principal: Asking) -> str:
    return await seen(kol_id, service, principal.kols)


async def _new(kol_id: _InPath, service: Running, principal: Asking) -> str:
    return await usable(kol_id, service, principal.kols)


async def _exact(kol_id: _InPath, service: Running, principal: Asking) -> str:
    await seen(kol_id, service, principal.kols)
    return await service.kols.unmerged(kol_id)


KolId = Annotated[str, Depends(_registered)]
# Of a KOL that was merged into another, its own.
ExactKolId = Annotated[str, Depends(_exact)]
NewKolId = Annotated[str, Depends(_new)]
