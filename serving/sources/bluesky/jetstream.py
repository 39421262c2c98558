"""Jetstream: every new post of the network as JSON over a websocket."""

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog

from serving.sources.bluesky.feed_post import (
    COLLECTION,
    comment_from,
    concerned,
    post_from,
    read_post,
)
from serving.sources.bluesky.roster import BlueskyRoster
from serving.sources.faults import AccountGone, BadAnswer
from serving.sources.source import SourceCursor
from serving.sources.source_batch import SourceBatch, SourceComment, SourcePost, SourceRemoval
from serving.sources.source_context import SourceContext
from serving.sources.websocket import MessageGroup, next_messages, open_websocket

_log = structlog.get_logger(__name__)

REWIND = timedelta(seconds=5)  # servers see events at slightly different times
_GAP = timedelta(minutes=1)  # the first event so long after the cursor: something is missing
_DID = re.compile(rb"did:[a-z]+:[A-Za-z0-9._:%-]+")
_LARGEST = 1_000_000  # bytes of an event; a post has 3,000 bytes of text at most
_UNREADABLE = 10  # messages in a row, after which the stream is not what is documented
# What the network says of an account that is there, only not up to date.
_STILL_THERE = frozenset({"desynchronized", "throttled"})


class CommitEvent(msgspec.Struct, frozen=True):
    """A record was created, updated or deleted."""

    operation: str
    collection: str
    rkey: str
    record: Any = None


class AccountEvent(msgspec.Struct, frozen=True):
    """An account went or came back."""

    active: bool = True
    status: str | None = None


class JetstreamTime(msgspec.Struct, frozen=True):
    """When an event was seen, in microseconds since 1970."""

    time_us: int


class JetstreamEvent(msgspec.Struct, frozen=True):
    """A message of the stream."""

    did: str
    time_us: int
    kind: str
    commit: CommitEvent | None = None
    account: AccountEvent | None = None


class Jetstream:
    """Reads the stream for the accounts of a roster.

    Hundreds of events come in a second and a few of them are wanted. Only messages that contain
    the DID of a KOL are read as JSON: a DID is plain ASCII, and names whoever wrote, is answered,
    mentioned or quoted. Deletions name only their author: those of people who wrote a comment
    that is remembered are read.
    """

    def __init__(
        self, context: SourceContext, roster: BlueskyRoster, hosts: Sequence[str], mentions: bool
    ) -> None:
        self._context = context
        self._roster = roster
        self._hosts = hosts
        self._mentions = mentions
        self._next_host = 0
        self._unreadable = 0

    async def read(self, cursor: SourceCursor | None) -> AsyncGenerator[SourceBatch, None]:
        """Connect to the next host, a little before the cursor; see `StreamReader.read`."""
        roster = self._roster
        roster.recall((cursor or {}).get("roster"))
        await roster.refresh()
        at = _cursor_time(cursor)
        host = self._hosts[self._next_host % len(self._hosts)]
        self._next_host += 1
        uri = f"{host}/subscribe?wantedCollections={COLLECTION}&maxMessageSizeBytes={_LARGEST}"
        if at is not None:
            uri += f"&cursor={at - REWIND // timedelta(microseconds=1)}"
        async with await open_websocket(uri, self._context) as connection:
            is_first = True
            while True:
                group = await next_messages(connection, host, self._wants)
                if group.last is None or group.first is None:
                    continue  # nothing at all: whoever reads decides how long that may last
                if is_first and at is not None and self._has_gap(group.first, at):
                    roster.ask_all = True
                is_first = False
                batch, gone = self._batch(group)
                at = max(self._time(group.last, at), at or 0)
                yield replace(batch, cursor={"at": at, "roster": roster.as_json()})
                if gone is not None:
                    raise gone

    def _wants(self, message: bytes) -> bool:
        """Whether a message has to be read; of thousands a second hardly any."""
        dids = _DID.findall(message)
        if not self._roster.did_bytes.isdisjoint(dids):
            return True
        if b'"delete"' in message or b'"account"' in message:
            return not self._roster.author_bytes.isdisjoint(dids)
        return False

    def _time(self, message: bytes, before: int | None) -> int:
        try:
            return msgspec.json.decode(message, type=JetstreamTime).time_us
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._skip(message)
            return before or 0

    def _has_gap(self, message: bytes, at: int) -> bool:
        """Whether the server did not have what came after the cursor any more."""
        return self._time(message, at) - at > _GAP // timedelta(microseconds=1)

    def _skip(self, message: bytes) -> None:
        """Leave out one message; the poller brings what was in it. Many are another matter."""
        self._unreadable += 1
        _log.warning("bluesky_message_unreadable", begins=message[:60].decode("ascii", "replace"))
        if self._unreadable >= _UNREADABLE:
            self._unreadable = 0
            raise BadAnswer(f"Jetstream sent {_UNREADABLE} messages in a row that are no events")

    def _batch(self, group: MessageGroup) -> tuple[SourceBatch, AccountGone | None]:
        comments: dict[str, SourceComment] = {}
        posts: list[SourcePost] = []
        removals: dict[str, SourceRemoval] = {}
        gone: AccountGone | None = None
        for message in group.wanted:
            try:
                event = msgspec.json.decode(message, type=JetstreamEvent)
                at = datetime.fromtimestamp(event.time_us / 1_000_000, UTC)
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError, OSError):
                self._skip(message)
                continue
            self._unreadable = 0
            if event.commit is not None and event.commit.collection == COLLECTION:
                found = self._commit(event.did, event.commit, at)
                if isinstance(found, SourceComment):
                    comments[found.comment_id] = found
                elif isinstance(found, SourcePost):
                    posts.append(found)
                elif found is not None:
                    removals[found.comment_id] = found
            elif event.account is not None and _is_gone(event.account):
                for removal in self._removals_of(event.did, at):
                    removals[removal.comment_id] = removal
                if event.did in self._roster.dids:
                    gone = self._gone(event.did, event.account)
        batch = SourceBatch(tuple(comments.values()), tuple(removals.values()), tuple(posts))
        return batch, gone

    def _commit(
        self, author: str, commit: CommitEvent, at: datetime
    ) -> SourceComment | SourcePost | SourceRemoval | None:
        roster = self._roster
        uri = f"at://{author}/{COLLECTION}/{commit.rkey}"
        if commit.operation == "delete":
            kol_id = roster.kol_of(uri) or roster.dids.get(author)
            return None if kol_id is None else SourceRemoval(uri, at, kol_id)
        post = read_post(commit.record)
        if post is None:
            return None
        if post.reply is None and author in roster.dids:
            own = post_from(uri, post, roster.dids[author], at)
            roster.active_posts.append((uri, own.created_at))
            return own
        did = concerned(author, post, roster.dids, self._mentions)
        if did is None:
            return None
        kol_id = roster.dids[did]
        roster.note(uri, author, kol_id)
        comment = comment_from(uri, post, kol_id, at)
        if comment.post_id is not None:
            roster.active_posts.append((comment.post_id, None))
        return replace(comment, edited_at=at) if commit.operation == "update" else comment

    def _removals_of(self, author: str, at: datetime) -> list[SourceRemoval]:
        found = self._roster.by_author(author)
        return [SourceRemoval(uri, at, self._roster.kol_of(uri)) for uri in found]

    def _gone(self, did: str, account: AccountEvent) -> AccountGone:
        why = account.status or "not active"
        return AccountGone(
            f"Bluesky says that the account of {self._roster.dids[did]} is {why}",
            remedy="ask the KOL; it is read on as soon as the account is back",
        )


def _is_gone(account: AccountEvent) -> bool:
    return not account.active and account.status not in _STILL_THERE


def _cursor_time(cursor: SourceCursor | None) -> int | None:
    found = (cursor or {}).get("at")
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
