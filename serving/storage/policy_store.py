"""What people set for single KOLs, at its place in the log, so that a rebuild repeats it.

The place of a change is after the last comment that was committed before it. Idle marks may have
the same place; which came first is known once the pipeline has reached the change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.policy import Policy
from serving.errors import NotFound
from serving.storage.database import Database
from serving.storage.fault_record import SetAsideKind
from serving.storage.instants import from_micros, to_micros
from serving.storage.tables import comments, kols, policy_changes, set_aside

_IN_FORCE = policy_changes.c.change_id.not_in(
    select(set_aside.c.place).where(set_aside.c.kind == SetAsideKind.POLICY_CHANGE)
)


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A change of a KOL's policy.

    Attributes:
        change_id: later changes have greater ones.
        kol_id: whose.
        overrides: the new values by name; None removes an override.
        actor: who did it.
        at: when, by the clock.
        after_seq: place of the comment that it follows.
        after_mark: id of the idle mark that it follows; None until the pipeline has reached it.
        from_minute: the first minute of event time, since 1970 UTC, that is judged by it; None
            until the pipeline has reached it.
    """

    change_id: int
    kol_id: str
    overrides: Mapping[str, float | None]
    actor: str
    at: datetime
    after_seq: int
    after_mark: int | None = None
    from_minute: int | None = None

    def precedes(self, mark_id: int, mark_seq: int) -> bool:
        """Whether it comes before the idle mark `mark_id`, which follows comment `mark_seq`."""
        if self.after_mark is None:
            return self.after_seq < mark_seq
        return self.after_mark < mark_id


def overrides(changes: Iterable[PolicyChange]) -> dict[str, PolicyChange]:
    """The overrides that a KOL has after its changes, each with the change that set it."""
    found: dict[str, PolicyChange] = {}
    for change in changes:
        for name, value in change.overrides.items():
            if value is None:
                found.pop(name, None)
            else:
                found[name] = change
    return found


def effective(standard: Policy, changes: Iterable[PolicyChange]) -> Policy:
    """The policy of a KOL after its changes, oldest first."""
    changed = {name: change.overrides[name] for name, change in overrides(changes).items()}
    return standard.overridden(
        {name: value for name, value in changed.items() if value is not None}
    )


class PolicyStore:
    """The `policy_changes` table. Rows are added, never deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, kol_id: str, overrides: Mapping[str, float | None], actor: str, now: datetime
    ) -> None:
        """Write a change at the end of the log.

        Raises:
            NotFound: no KOL with this id was registered or has comments.
        """
        async with self._database.write() as connection:
            if not await connection.scalar(select(kols.c.kol_id).where(kols.c.kol_id == kol_id)):
                raise NotFound(f"there is no KOL {kol_id!r}; PUT it, or send a comment for it")
            last = await connection.scalar(select(func.max(comments.c.seq)))
            await connection.execute(
                policy_changes.insert().values(
                    after_seq=last or 0,
                    kol_id=kol_id,
                    overrides=dict(overrides),
                    actor=actor,
                    at=to_micros(now),
                )
            )

    async def of_kol(self, kol_id: str) -> list[PolicyChange]:
        """Every change of one KOL, oldest first; not those that were set aside."""
        statement = select(policy_changes).where(policy_changes.c.kol_id == kol_id, _IN_FORCE)
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(policy_changes.c.change_id))
            return [_change(row) for row in rows.mappings()]

    async def up_to(self, change_id: int) -> list[PolicyChange]:
        """Every change up to `change_id`, oldest first; not those that were set aside."""
        statement = select(policy_changes).where(policy_changes.c.change_id <= change_id, _IN_FORCE)
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(policy_changes.c.change_id))
            return [_change(row) for row in rows.mappings()]

    async def following(self, change_id: int) -> PolicyChange | None:
        """The change after `change_id`; None if it is the last."""
        statement = (
            select(policy_changes)
            .where(policy_changes.c.change_id > change_id)
            .order_by(policy_changes.c.change_id)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _change(row)


async def settle(
    connection: AsyncConnection, change_id: int, *, after_mark: int, from_minute: int
) -> None:
    """Inside the step that first applies a change: write down where it takes effect.

    Args:
        connection: the step's transaction.
        change_id: of the change.
        after_mark: the idle mark that it follows.
        from_minute: the first minute of event time, since 1970 UTC, that is judged by it.
    """
    await connection.execute(
        update(policy_changes)
        .where(policy_changes.c.change_id == change_id, policy_changes.c.after_mark.is_(None))
        .values(after_mark=after_mark, from_minute=from_minute)
    )


def _change(row: RowMapping) -> PolicyChange:
    return PolicyChange(
        change_id=row["change_id"],
        kol_id=row["kol_id"],
        overrides=row["overrides"],
        actor=row["actor"],
        at=from_micros(row["at"]),
        after_seq=row["after_seq"],
        after_mark=row["after_mark"],
        from_minute=row["from_minute"],
    )
