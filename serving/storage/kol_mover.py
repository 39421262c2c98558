"""Renames KOLs, merges them, and takes merges back: each in one transaction.

The pipeline must not be in the middle of a step meanwhile, and has to read its state anew
afterwards: `Pipeline.paused` sees to both.
"""

from datetime import datetime

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.event_time import minute_of
from monitoring.kinds import AlertState, Reason
from serving.errors import Conflict, NotFound
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.alert_record import to_alert
from serving.storage.alert_rows import write_events
from serving.storage.database import Database
from serving.storage.instants import from_micros, to_micros
from serving.storage.key_store import rename_in_limits
from serving.storage.kol_alias_rows import AliasKind, KolAlias, alias_of, leading_to, resolve
from serving.storage.moved_comments import Move, move_comments
from serving.storage.outbox import Outbox, WrittenDelivery
from serving.storage.rerun_rows import add_rerun
from serving.storage.source_tables import source_outages, sources
from serving.storage.tables import (
    actions,
    alert_events,
    alerts,
    checkpoints,
    comments,
    engine_snapshots,
    engine_states,
    held_kols,
    idle_marks,
    kol_aliases,
    kol_followers,
    kol_handles,
    kols,
    minute_scores,
    minutes,
    notification_payloads,
    policy_changes,
    post_kols,
    reruns,
    set_aside,
    silences,
    source_delays,
)

_RENAMED: tuple[Table, ...] = (
    kols,
    kol_handles,
    kol_followers,
    post_kols,
    comments,
    idle_marks,
    minutes,
    minute_scores,
    alerts,
    alert_events,
    notification_payloads,
    actions,
    policy_changes,
    set_aside,
    source_delays,
    sources,
    source_outages,
)
_STATES: tuple[Table, ...] = (engine_states, engine_snapshots, checkpoints, reruns, held_kols)


class KolMover:
    """Changes what a KOL's id means."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def rename(
        self,
        kol_id: str,
        new_id: str,
        actor: str,
        now: datetime,
        visible: KolLimit = EVERY_KOL,
    ) -> None:
        """Give a KOL another id everywhere; the former one leads to it.

        The engine's state carries the id, so the KOL is judged again, from its stored windows.

        Raises:
            NotFound: there is no such KOL.
            Conflict: it was merged into another, or the new id is that of another KOL; the message
                names it if it is of the limit.
        """
        async with self._database.write() as connection:
            await _check_unmerged(connection, kol_id)
            leads = await resolve(connection, [new_id])
            taken = leads.get(new_id) not in (None, kol_id) or await _is_registered(
                connection, new_id
            )
            if taken and not visible.allows(leads.get(new_id, new_id)):
                raise Conflict(f"{new_id!r} cannot be taken; choose another id", field="new_id")
            if new_id == kol_id or leads.get(new_id) not in (None, kol_id):
                raise Conflict(f"{new_id!r} is an id of this or another KOL", field="new_id")
            if await _is_registered(connection, new_id):
                raise Conflict(
                    f"there is a KOL {new_id!r}; merge the two, or choose another id",
                    field="new_id",
                )
            first = await connection.scalar(
                select(func.min(comments.c.created_at)).where(comments.c.kol_id == kol_id)
            )
            # It may have had the new id before.
            await connection.execute(delete(kol_aliases).where(kol_aliases.c.kol_id == new_id))
            for table in _RENAMED:
                await connection.execute(
                    update(table).where(table.c.kol_id == kol_id).values(kol_id=new_id)
                )
            await _rename_in_silences(connection, kol_id, new_id)
            await rename_in_limits(connection, kol_id, new_id)
            for table in _STATES:
                await connection.execute(delete(table).where(table.c.kol_id == kol_id))
            alias = KolAlias(kol_id, new_id, AliasKind.RENAMED, actor, now)
            await _write_alias(connection, alias)
            if first is not None:
                minute = minute_of(from_micros(first))
                await add_rerun(connection, new_id, minute, minute)

    async def merge(self, kol_id: str, into: str, actor: str, now: datetime) -> int:
        """Move the comments and posts of a KOL to another; its id leads there from now on.

        What else is kept under its id stays there; its open alerts are resolved.

        Returns:
            How many comments were moved.

        Raises:
            NotFound: there is no such KOL, or none to merge it into.
            Conflict: it was merged already, or the two are one.
        """
        recorded: list[WrittenDelivery] = []
        async with self._database.write() as connection:
            await _check_unmerged(connection, kol_id)
            into = (await resolve(connection, [into])).get(into, into)
            if into == kol_id:
                raise Conflict(f"{into!r} is this KOL itself", field="into")
            if not await _is_registered(connection, into):
                raise NotFound(f"there is no KOL {into!r}; PUT it, or send a comment for it")
            moved = await move_comments(connection, Move(kol_id, into))
            await _write_alias(connection, KolAlias(kol_id, into, AliasKind.MERGED, actor, now))
            recorded = await self._resolve_alerts(connection, kol_id)
            left = select(comments.c.seq).where(comments.c.kol_id == kol_id).limit(1)
            if await connection.scalar(left) is None:
                for table in (engine_states, engine_snapshots, checkpoints, held_kols):
                    await connection.execute(delete(table).where(table.c.kol_id == kol_id))
        if recorded:
            self._outbox.committed(recorded)
        return moved

    async def unmerge(self, kol_id: str) -> int:
        """Take a merge back: comments that were sent to the KOL, before or since, go back to it.

        Returns:
            How many comments were moved.

        Raises:
            Conflict: it was not merged.
        """
        async with self._database.write() as connection:
            alias = await alias_of(connection, kol_id)
            if alias is None or alias.kind is not AliasKind.MERGED:
                raise Conflict(f"{kol_id!r} was not merged into another KOL")
            target = (await resolve(connection, [kol_id]))[kol_id]
            await connection.execute(delete(kol_aliases).where(kol_aliases.c.kol_id == kol_id))
            own = [one.kol_id for one in (await leading_to(connection, [kol_id]))[kol_id]]
            return await move_comments(connection, Move(target, kol_id, [kol_id, *own]))

    async def _resolve_alerts(
        self, connection: AsyncConnection, kol_id: str
    ) -> list[WrittenDelivery]:
        """End the open alerts of a KOL that is judged no more, when last anything was known."""
        statement = select(alerts).where(
            alerts.c.kol_id == kol_id, alerts.c.state == AlertState.OPEN
        )
        recorded: list[WrittenDelivery] = []
        for row in (await connection.execute(statement)).mappings().all():
            alert = to_alert(row)
            event = AlertEvent(
                alert_id=alert.alert_id,
                kol_id=alert.kol_id,
                kind=alert.kind,
                severity=alert.severity,
                reason=Reason.RESOLVED,
                at=max(alert.updated_at, alert.evidence.window_end),
                evidence=alert.evidence,
            )
            await write_events(connection, [event])
            recorded += await self._outbox.record(
                connection, event, opened_at=alert.opened_at, rebuilt=False
            )
        return recorded


async def _is_registered(connection: AsyncConnection, kol_id: str) -> bool:
    found = await connection.scalar(select(kols.c.kol_id).where(kols.c.kol_id == kol_id))
    return found is not None


async def _check_unmerged(connection: AsyncConnection, kol_id: str) -> None:
    """Check that there is a KOL, and that it has its own comments."""
    alias = await alias_of(connection, kol_id)
    if alias is not None:
        raise Conflict(f"KOL {kol_id!r} was {alias.kind} into {alias.target!r}; unmerge it first")
    if not await _is_registered(connection, kol_id):
        raise NotFound(f"there is no KOL {kol_id!r}; PUT it, or send a comment for it")


async def _write_alias(connection: AsyncConnection, alias: KolAlias) -> None:
    await connection.execute(
        kol_aliases.insert().values(
            kol_id=alias.kol_id,
            target=alias.target,
            kind=alias.kind,
            actor=alias.actor,
            at=to_micros(alias.at),
        )
    )


async def _rename_in_silences(connection: AsyncConnection, kol_id: str, new_id: str) -> None:
    named = select(silences.c.silence_id, silences.c.kols).where(silences.c.kols.is_not(None))
    for silence_id, names in (await connection.execute(named)).all():
        if kol_id in names:
            changed = sorted({new_id if name == kol_id else name for name in names})
            await connection.execute(
                update(silences).where(silences.c.silence_id == silence_id).values(kols=changed)
            )
