"""Who changed what: written before it is carried out, completed after it."""

import re
from dataclasses import dataclass, field

import structlog
from starlette.requests import HTTPConnection

from serving.access.principal import Principal
from serving.clock import Clock
from serving.storage.audit_record import AuditOutcome, AuditRecord
from serving.storage.audit_store import AuditStore

_log = structlog.get_logger(__name__)
_LONGEST = 500  # characters of a target or of a value in the detail
# Control and bidi characters: an entry must look in a terminal like what it is.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# An author who is erased must not stay in the log of who erased it.
_AUTHOR = re.compile("^(/v1/authors/).*?(/export)?$", re.DOTALL)


@dataclass(slots=True)
class AuditNote:
    """An entry of a request that is being carried out; routes add what they know.

    Attributes:
        entry_id: of the entry in the log.
        kols: the KOLs that the request is about.
        detail: what else is worth knowing; no secrets.
    """

    entry_id: int
    kols: set[str] = field(default_factory=set)
    detail: dict[str, str] = field(default_factory=dict)


def client_address(connection: HTTPConnection) -> str | None:
    """The address that a request came from; None if it is not known."""
    return None if connection.client is None else connection.client.host[:64]


class AuditLog:
    """Writes entries for requests."""

    def __init__(self, store: AuditStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def begin(
        self, connection: HTTPConnection, principal: Principal, action: str
    ) -> AuditNote:
        """Write that a request will be carried out; its outcome is unknown until it is completed.

        Raises:
            StoreError: it cannot be written, so the request must not be carried out.
        """
        kol_id = connection.path_params.get("kol_id")
        note = AuditNote(0, kols=set() if kol_id is None else {_plain(str(kol_id))})
        entry = self._entry(connection, principal, action, AuditOutcome.UNKNOWN, note)
        note.entry_id = await self._store.add(entry)
        return note

    async def complete(self, note: AuditNote, status: int | None) -> None:
        """Write what became of the request.

        Args:
            note: its entry.
            status: the HTTP status; None if it ended with an unexpected error.
        """
        if status is None or status >= 500:
            outcome = AuditOutcome.FAILED
        else:
            outcome = AuditOutcome.REFUSED if status >= 400 else AuditOutcome.DONE
        await self._store.complete(
            note.entry_id,
            outcome,
            status,
            kols=tuple(sorted(_plain(kol) for kol in note.kols)),
            detail={name: _plain(value) for name, value in note.detail.items()},
        )

    async def refused(
        self,
        connection: HTTPConnection,
        principal: Principal | None,
        action: str,
        *,
        status: int,
        detail: dict[str, str],
    ) -> None:
        """Write that somebody was refused. If that fails, the answer is a refusal all the same."""
        note = AuditNote(0, detail=detail)
        entry = self._entry(connection, principal, action, AuditOutcome.REFUSED, note, status)
        try:
            await self._store.add(entry)
        except Exception as error:  # noqa: BLE001 - the answer is a refusal in any case
            _log.error("audit_failed", action=action, error=str(error))

    def _entry(
        self,
        connection: HTTPConnection,
        principal: Principal | None,
        action: str,
        outcome: AuditOutcome,
        note: AuditNote,
        status: int | None = None,
    ) -> AuditRecord:
        return AuditRecord(
            entry_id=0,
            at=self._clock.now(),
            principal_kind=None if principal is None else principal.kind,
            principal_id=None if principal is None else principal.id,
            principal_name=None if principal is None else principal.name,
            address=client_address(connection),
            action=action,
            target=_plain(f"{connection.scope.get('method', '')} {_path(connection)}"),
            kols=tuple(sorted(note.kols)),
            detail={name: _plain(value) for name, value in note.detail.items()},
            outcome=outcome,
            status=status,
        )


def _path(connection: HTTPConnection) -> str:
    """The path of a request, without the id of an author."""
    path: str = connection.scope["path"]
    return _AUTHOR.sub("\\1…\\2", path)


def _plain(text: str) -> str:
    """Text of bounded length without characters that change how a line looks."""
    return _UNPRINTABLE.sub("\ufffd", text.encode("utf-8", "replace").decode())[:_LONGEST]
