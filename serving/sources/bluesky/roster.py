"""Whose accounts are read, by DID, and what the stream and the poller say to each other."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from serving.sources.bluesky.app_view import AppView
from serving.sources.faults import AccountGone, Misconfigured, SourceFault
from serving.sources.source_context import SourceContext

_RETRY = timedelta(minutes=10)  # after which an account that is not there is looked for again
_COMMENTS = 20_000  # comments whose deletion is noticed in the stream
_ACTIVE = 500


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """An account.

    Attributes:
        kol_id: whose it is.
        entered: the handle as it was entered, whole.
        did: who it is on the network, whatever it is called now.
    """

    kol_id: str
    entered: str
    did: str


class BlueskyRoster:
    """The accounts of the KOLs that a source brings comments of.

    Handles change and DIDs do not: an account that was found once is asked for by its DID.

    Attributes:
        dids: KOLs by DID.
        did_bytes: the DIDs as they are written in messages.
        faults: why the account of a KOL could not be found.
        active_posts: posts of which the stream says something: address, and of new ones when they
            were published.
        ask_all: whether something may have been missed and everything is to be asked.
        author_bytes: who wrote the comments whose deletion is noticed.
    """

    def __init__(self, context: SourceContext, app_view: AppView) -> None:
        self._context = context
        self._app_view = app_view
        self._entries: dict[str, RosterEntry] = {}
        self._failed_at: dict[str, datetime] = {}
        self._comments: OrderedDict[str, str] = OrderedDict()
        self._authors: dict[str, int] = {}
        self.dids: Mapping[str, str] = {}
        self.did_bytes: frozenset[bytes] = frozenset()
        self.author_bytes: set[bytes] = set()
        self.faults: dict[str, SourceFault] = {}
        self.active_posts: deque[tuple[str, datetime | None]] = deque(maxlen=_ACTIVE)
        self.ask_all = False

    def recall(self, written: object) -> None:
        """Take the DIDs of a cursor for accounts that are not known yet."""
        for row in written if isinstance(written, list) else ():
            if isinstance(row, list) and len(row) == 3 and all(isinstance(x, str) for x in row):
                self._entries.setdefault(row[0], RosterEntry(*row))

    def as_json(self) -> list[Any]:
        """For a cursor."""
        return [[one.kol_id, one.entered, one.did] for one in self._entries.values()]

    def entered(self, did: str) -> str:
        """The handle of an account, as it was entered."""
        return next((one.entered for one in self._entries.values() if one.did == did), did)

    async def refresh(self) -> None:
        """Ask whose accounts there are, and look up those that are new.

        Raises:
            Misconfigured: no KOL has an account on Bluesky.
            AccountGone: none of the accounts is there.
            SourceFault: Bluesky refused.
        """
        now = self._context.clock.now()
        wanted = {
            one.kol_id: whole_handle(one.handle)
            for one in await self._context.accounts.on("bluesky")
            if one.handle
        }
        if not wanted:
            raise Misconfigured(
                "no KOL has an account on Bluesky",
                remedy="enter the handle of each KOL on the platform bluesky in its profile",
            )
        kept = {kol_id: one for kol_id, one in self._entries.items() if kol_id in wanted}
        self._entries = {k: one for k, one in kept.items() if one.entered == wanted[k]}
        self.faults = {k: fault for k, fault in self.faults.items() if k in wanted}
        for kol_id, handle in wanted.items():
            if kol_id not in self._entries and self._is_due(kol_id, now):
                await self._look_up(kol_id, handle, now)
        self.dids = {one.did: one.kol_id for one in self._entries.values()}
        self.did_bytes = frozenset(did.encode() for did in self.dids)
        if not self.dids and self.faults:
            raise next(iter(self.faults.values()))

    def _is_due(self, kol_id: str, now: datetime) -> bool:
        return kol_id not in self.faults or now - self._failed_at[kol_id] >= _RETRY

    async def _look_up(self, kol_id: str, handle: str, now: datetime) -> None:
        try:
            found = await self._app_view.profile(handle)
        except AccountGone as fault:
            self._failed_at[kol_id] = now
            self.faults[kol_id] = AccountGone(
                f"the account @{handle} of the KOL {kol_id} is not on Bluesky: {fault}",
                remedy="correct the KOL's handle on bluesky in its profile",
            )
            return
        self.faults.pop(kol_id, None)
        self._entries[kol_id] = RosterEntry(kol_id, handle, found.did)

    # Comments whose deletion is noticed: the stream says of a deleted post only its address.

    def note(self, uri: str, author: str, kol_id: str) -> None:
        """Remember a comment that was brought; the oldest of more than 20,000 are dropped."""
        if uri in self._comments:
            return
        self._comments[uri] = kol_id
        self._authors[author] = self._authors.get(author, 0) + 1
        self.author_bytes.add(author.encode())
        if len(self._comments) > _COMMENTS:
            self._drop(next(iter(self._comments)))

    def kol_of(self, uri: str) -> str | None:
        """Whose comment it is; None if it is not remembered."""
        return self._comments.get(uri)

    def by_author(self, author: str) -> list[str]:
        """The comments of an author that are remembered."""
        if author not in self._authors:
            return []
        return [uri for uri in self._comments if uri.startswith(f"at://{author}/")]

    def _drop(self, uri: str) -> None:
        del self._comments[uri]
        author = uri.removeprefix("at://").partition("/")[0]
        self._authors[author] -= 1
        if not self._authors[author]:
            del self._authors[author]
            self.author_bytes.discard(author.encode())


def whole_handle(entered: str) -> str:
    """A handle as Bluesky knows it; people leave out its end or write the link."""
    found = entered.strip().rstrip("/").rpartition("/")[2].lstrip("@").lower()
    return found if found.startswith("did:") or "." in found else f"{found}.bsky.social"
