"""The engine in memory, with what the pipeline must know of each KOL beside it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from monitoring.engine import Engine
from monitoring.errors import SnapshotError
from monitoring.policy import Policy
from monitoring.rerun import DatedPolicy
from serving.errors import StoreError
from serving.pipeline.presence import Presences
from serving.slices import Slices
from serving.storage.pipeline_step import EngineState, IdleMark, StoredState
from serving.storage.policy_store import PolicyChange, effective

_logger = structlog.get_logger(__name__)
_LOOKED_AT = 100  # silent KOLs in one step; a comment that comes meanwhile waits for it


class Delays(Protocol):
    """How late comments normally arrive."""

    async def slowest_delays(self, kol_ids: Collection[str], now: datetime) -> dict[str, timedelta]:
        """How late comments on some KOLs arrive at most; without those not known."""
        ...


class LiveEngine:
    """Every KOL as the last step left it.

    Attributes:
        engine: what judges them.
        presences: when their latest comments came.
        known_as: derived id of an alert to the id under which it is known, where they differ.
        refused: changes of policies that could not be applied again, each with the reason.

    Args:
        policy: for every KOL without changes of its own.
        idle_after: silence after which event time goes on by the clock.
        started: when the service began to listen.
    """

    def __init__(self, policy: Policy, *, idle_after: timedelta, started: datetime) -> None:
        self._policy = policy
        self._idle_after = idle_after
        self._started = started
        self._changes: defaultdict[str, list[PolicyChange]] = defaultdict(list)
        self.engine = Engine(policy)
        self.presences = Presences(policy, self.engine, idle_after=idle_after, started=started)
        self.known_as: dict[str, str] = {}
        self.refused: list[tuple[PolicyChange, Exception]] = []

    def emptied(self, changes: Iterable[PolicyChange], known_as: dict[str, str]) -> "LiveEngine":
        """Another one that knows no KOL yet.

        Args:
            changes: of policies that were applied.
            known_as: derived id of an alert to the id under which it is known.
        """
        other = LiveEngine(self._policy, idle_after=self._idle_after, started=self._started)
        other.known_as = known_as
        for change in changes:
            try:
                other.set_policy(change)
            except Exception as error:  # one KOL's; the others go on
                _logger.exception("policy_refused", kol=change.kol_id)
                other.refused.append((change, error))
        return other

    def restore(self, state: StoredState) -> None:
        """Take over a KOL as its snapshot has it.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            self.engine.restore(state.kol_id, state.snapshot)
        except SnapshotError as error:
            raise StoreError(
                f"the state of KOL {state.kol_id!r} cannot be read: {error}; "
                "'groundswell db rebuild' computes every state again from the log"
            ) from error
        self.presences.remember(
            state.kol_id,
            created_at=state.last_created_at,
            received_at=state.last_received_at,
        )

    def set_policy(self, change: PolicyChange) -> int:
        """Apply a change of policy to its KOL.

        Returns:
            The first minute, since 1970 UTC, that is judged by it.
        """
        from_minute = change.from_minute
        if from_minute is None:
            from_minute = self.engine.closed_until(change.kol_id)
        changes = [*self._changes[change.kol_id], replace(change, from_minute=from_minute)]
        self.engine.set_policy(change.kol_id, effective(self._policy, changes))
        self._changes[change.kol_id] = changes
        self.presences.look_again(change.kol_id)
        return from_minute

    def policies(self, kol_id: str) -> Sequence[DatedPolicy]:
        """What a KOL was judged by, from when on."""
        changes = self._changes.get(kol_id, [])
        later = (
            DatedPolicy(change.from_minute or 0, effective(self._policy, changes[:count]))
            for count, change in enumerate(changes, 1)
        )
        return [DatedPolicy(0, self._policy), *later]

    def state(self, kol_id: str) -> EngineState:
        """A KOL, to be stored; without its snapshot.

        Raises:
            KeyError: it was never seen.
        """
        presence, status = self.presences.get(kol_id), self.engine.status(kol_id)
        if presence is None:
            raise KeyError(kol_id)
        if status.alert_id is not None:
            status = replace(status, alert_id=self.known_id(status.alert_id))
        return EngineState(
            kol_id=kol_id,
            status=status,
            last_created_at=presence.created_at,
            last_received_at=presence.received_at,
            snapshot=None,
        )

    def known_id(self, alert_id: str) -> str:
        """The id under which the alert is known whose derived id is given."""
        return self.known_as.get(alert_id, alert_id)

    async def idle_marks(self, now: datetime, delays: Delays) -> list[IdleMark]:
        """Idle marks of the next silent KOLs whose silence changes something; see `Presences`.

        Raises:
            StoreError: the delays cannot be read.
        """
        silent = self.presences.due(now, _LOOKED_AT)
        if unknown := self.presences.without_delay(silent):
            found = await delays.slowest_delays(unknown, now)
            for kol_id in unknown:
                self.presences.set_delay(kol_id, found.get(kol_id, timedelta()))
        marks, slices = list[IdleMark](), Slices()
        for kol_id in silent:
            await slices.pause()
            if (mark := self.presences.idle_mark(kol_id, now)) is not None:
                marks.append(mark)
        return marks
