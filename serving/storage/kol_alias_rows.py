"""Former ids of KOLs, and ids of KOLs that were merged into others: where they lead."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.kol_limit import KolLimit
from serving.storage.instants import from_micros
from serving.storage.record_tables import kol_aliases

_AT_ONCE = 500


class AliasKind(StrEnum):
    """Why an id leads to another KOL."""

    RENAMED = "renamed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class KolAlias:
    """An id that leads to a KOL.

    Attributes:
        kol_id: the id.
        target: of the KOL that it led to at first; that one may have been renamed since.
        kind: why.
        actor: who did it.
        at: when, aware, UTC.
    """

    kol_id: str
    target: str
    kind: AliasKind
    actor: str
    at: datetime


async def alias_of(connection: AsyncConnection, kol_id: str) -> KolAlias | None:
    """Where an id leads; None if it leads nowhere else."""
    return (await _aliases(connection, [kol_id])).get(kol_id)


async def resolve(
    connection: AsyncConnection, kol_ids: Collection[str], *, merged: bool = True
) -> dict[str, str]:
    """The KOLs that ids lead to in the end; ids that lead nowhere else are left out.

    Args:
        connection: the transaction.
        kol_ids: some ids.
        merged: whether to go on from a KOL that was merged to the one that has its comments.
    """
    steps: dict[str, str] = {}
    ahead = set(kol_ids)
    while ahead:
        found = await _aliases(connection, ahead)
        steps |= {
            alias.kol_id: alias.target
            for alias in found.values()
            if merged or alias.kind is AliasKind.RENAMED
        }
        ahead = {alias.target for alias in found.values()} - steps.keys()
    ends = {}
    for kol_id in steps.keys() & set(kol_ids):
        end = kol_id
        while end in steps:
            end = steps[end]
        ends[kol_id] = end
    return ends


async def visible_leads(
    connection: AsyncConnection, kol_ids: Collection[str], visible: KolLimit
) -> dict[str, str]:
    """The KOLs within a limit that ids lead to in the end, by id.

    Ids that lead out of the limit are left out, and so are those of merged KOLs that are not within
    it: that they were merged is nothing to tell.
    """
    former = await resolve(connection, kol_ids, merged=False)
    leads = await resolve(connection, kol_ids)
    ends = {kol_id: leads.get(kol_id, kol_id) for kol_id in kol_ids}
    return {
        kol_id: end
        for kol_id, end in ends.items()
        if visible.allows_all((end, former.get(kol_id, kol_id)))
    }


def visible_aliases(
    kol_id: str, aliases: Iterable[KolAlias], visible: KolLimit
) -> tuple[KolAlias, ...]:
    """Those of the ids that lead to a KOL which a limit does not hide: former ids of the KOL, and
    KOLs of the limit that were merged into it, with their former ids.
    """
    found = tuple(aliases)
    if visible.is_everything:
        return found
    by_target: defaultdict[str, list[KolAlias]] = defaultdict(list)
    for alias in found:
        by_target[alias.target].append(alias)
    shown, ahead = set[str](), [kol_id]
    while ahead:
        for alias in by_target[ahead.pop()]:
            if alias.kind is AliasKind.RENAMED or visible.allows(alias.kol_id):
                shown.add(alias.kol_id)
                ahead.append(alias.kol_id)
    return tuple(alias for alias in found if alias.kol_id in shown)


async def leading_to(
    connection: AsyncConnection, kol_ids: Collection[str]
) -> dict[str, list[KolAlias]]:
    """Every id that leads to each of some KOLs, also by way of others."""
    found: dict[str, list[KolAlias]] = {kol_id: [] for kol_id in kol_ids}
    ends = {kol_id: kol_id for kol_id in kol_ids}
    while ends:
        further = {}
        targets = sorted(ends)
        for start in range(0, len(targets), _AT_ONCE):
            chunk = targets[start : start + _AT_ONCE]
            statement = select(kol_aliases).where(kol_aliases.c.target.in_(chunk))
            for row in await connection.execute(statement.order_by(kol_aliases.c.kol_id)):
                found[ends[row.target]].append(_alias(*row))
                further[row.kol_id] = ends[row.target]
        ends = further
    return found


async def other_ids(
    connection: AsyncConnection, kol_ids: Collection[str]
) -> dict[str, frozenset[str]]:
    """The ids, beside its own, that each of some KOLs may be named by."""
    return {
        kol_id: frozenset(alias.kol_id for alias in aliases)
        for kol_id, aliases in (await leading_to(connection, kol_ids)).items()
    }


async def _aliases(connection: AsyncConnection, kol_ids: Iterable[str]) -> dict[str, KolAlias]:
    ids = sorted(kol_ids)
    found = {}
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        statement = select(kol_aliases).where(kol_aliases.c.kol_id.in_(chunk))
        for row in await connection.execute(statement):
            found[row.kol_id] = _alias(*row)
    return found


def _alias(kol_id: str, target: str, kind: str, actor: str, at: int) -> KolAlias:
    return KolAlias(kol_id, target, AliasKind(kind), actor, from_micros(at))
