"""Mastodon: the stream of a token's account and of hashtags, and asking for the rest."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, StringConstraints

from serving.sources.comment_ledger import CommentLedger
from serving.sources.faults import AccountGone, BadAnswer, Misconfigured
from serving.sources.history_split import HistorySplit
from serving.sources.mastodon.rest import MastodonNotification, MastodonRest, read_as, read_limit
from serving.sources.mastodon.status import (
    MastodonStatus,
    StatusAccount,
    comment_of_status,
    post_of_status,
)
from serving.sources.post_schedule import PostSchedule
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import PeriodLength, QuotaPeriod
from serving.sources.registry import SourceType, register
from serving.sources.source import Poller, SourceCursor, SourcePreview, StreamReader
from serving.sources.source_batch import (
    SourceBatch,
    SourceComment,
    SourceFollowers,
    SourcePost,
    SourceRemoval,
)
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED, Secret, SourceSpec
from serving.sources.websocket import next_messages, open_websocket

_LISTING = timedelta(minutes=3)
_PROFILE = timedelta(hours=1)
_OVERLAP = timedelta(minutes=5).total_seconds()
_REMEMBERED = 20_000  # comments whose thread is known
_CHECKED = 10  # statuses a step that are asked whether they still exist

_Step = Callable[[], Awaitable[SourceBatch]]


class MastodonSpec(SourceSpec):
    """A server and a token of it."""

    server: str = Field(
        title="Server",
        description="The address of the server, such as https://mastodon.social.",
        pattern=r"^https?://[^/\s]+/?$",
    )
    access_token: Secret = Field(
        title="Access token",
        description="Of an app under Preferences, Development, with the scope read.",
    )
    hashtags: tuple[Annotated[str, StringConstraints(pattern=r"^\w{1,100}$")], ...] = Field(
        (),
        max_length=10,
        title="Hashtags",
        description="Hashtags, without #, under which people write about the KOL.",
    )
    requests_an_hour: int = Field(
        1500,
        ge=60,
        le=3600,
        title="Requests an hour",
        description="The most requests in an hour; a server allows 3,600 unless it says otherwise.",
        json_schema_extra=ADVANCED,
    )


class MastodonSource(Poller, StreamReader):
    """Brings what answers, mentions or tags a KOL, as one server knows it."""

    least_interval = timedelta(seconds=20)
    most_interval = timedelta(minutes=3)
    silence = timedelta(seconds=90)

    def __init__(self, spec: MastodonSpec, context: SourceContext) -> None:
        server = spec.server.rstrip("/")
        self._token = {"Authorization": f"Bearer {spec.access_token.get_secret_value()}"}
        client = context.client(server, headers=self._token, read_fault=read_limit)
        self._rest = MastodonRest(client)
        self._server = server
        self._host = urlsplit(server).hostname or server
        self._spec = spec
        self._context = context
        self._split = HistorySplit()
        self._is_own: bool | None = None
        self._ask_all = False
        self._id: tuple[str, str] | None = None  # the name that was entered, and the id
        self._tops: dict[str, str | None] = {}  # of comments that were brought: their threads

    # Asking.

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """What is due: the profile, a list, or a thread."""
        if (held := self._split.take(cursor)) is not None:
            return held
        name = await self._name()
        now = self._context.clock.now()
        state = _MastodonState(cursor, name, now)
        if self._ask_all:
            self._ask_all = False
            state.listings = {path: {**one, "due": True} for path, one in state.listings.items()}
            for row in state.schedule.as_json():
                state.schedule.ask_now(row["id"], now)
        step = self._next_step(state, now)
        if step is None:
            return SourceBatch(cursor=state.as_json())
        batch = await step()
        more = self._next_step(state, now) is not None
        batch = replace(batch, more=more, cursor=state.as_json())
        return self._split.split(batch, datetime.fromtimestamp(state.since, UTC), cursor)

    async def _name(self) -> str:
        found = await self._context.accounts.on("mastodon")
        for one in found:
            if one.kol_id == self._context.kol_id and one.handle:
                return whole_name(one.handle)
        raise Misconfigured(
            "the KOL has no account on mastodon",
            remedy="enter the KOL's handle on mastodon in its profile, like @lena@mastodon.social",
        )

    def _next_step(self, state: "_MastodonState", now: datetime) -> _Step | None:
        seconds = now.timestamp()
        is_late = seconds - state.profile_at >= _PROFILE.total_seconds()
        if state.account_id is None or self._is_own is None or is_late:
            return partial(self._profile, state, now)
        paths = [f"/api/v1/accounts/{state.account_id}/statuses"]
        paths += [f"/api/v1/timelines/tag/{tag}" for tag in self._spec.hashtags]
        paths += ["mentions"] if self._is_own else []
        for path in paths:
            one = state.listings.get(path, {})
            late = seconds - one.get("at", 0) >= _LISTING.total_seconds()
            if one.get("begun") or one.get("due") or late:
                return partial(self._listing, path, state, now)
        if due := state.schedule.due(now, 1):
            return partial(self._thread, due[0], state, now)
        return None

    async def _profile(self, state: "_MastodonState", now: datetime) -> SourceBatch:
        found = await self._rest.account(state.name, state.account_id)
        if found.moved is not None:
            raise AccountGone(
                f"@{state.name} has moved to @{found.moved.acct}",
                remedy="enter the new handle in the KOL's profile",
            )
        await self._learn_owner(found)
        state.account_id, state.profile_at = found.id, now.timestamp()
        self._id = (state.name, found.id)
        if found.followers_count is None:
            return SourceBatch()
        return SourceBatch(followers=(SourceFollowers(found.followers_count, now),))

    async def _learn_owner(self, account: StatusAccount) -> None:
        if self._is_own is None:
            self._is_own = (await self._rest.token_owner()).id == account.id

    async def _listing(self, path: str, state: "_MastodonState", now: datetime) -> SourceBatch:
        one = state.listings.setdefault(path, {})
        if not one.get("begun"):
            one.update(begun=now.timestamp(), until=one.get("at", 0) - _OVERLAP, next=None)
            one.pop("due", None)
        if path == "mentions":
            page = await self._rest.mentions(one["next"])
        else:
            page = await self._rest.page(one["next"] or path)
        batch = self._sort(page.statuses, state, now)
        oldest = min((status.written_at().timestamp() for status in page.statuses), default=0.0)
        one["next"] = page.next
        if page.next is None or oldest < one["until"]:
            one.update(at=one["begun"], begun=0, next=None)
        return batch

    def _sort(
        self, statuses: Sequence[MastodonStatus], state: "_MastodonState", now: datetime
    ) -> SourceBatch:
        """The KOL's posts, and comments."""
        posts: list[SourcePost] = []
        comments: list[SourceComment] = []
        for status in statuses:
            if not status.is_public:
                continue
            is_own = status.account.id == state.account_id
            if is_own and status.in_reply_to_id is None:
                posts.append(post_of_status(status, self._host, now))
                is_new = state.schedule.add(status.id, status.written_at(), now)
                count = status.replies_count or 0
                if not is_new and count > state.counts.get(status.id, count):
                    state.schedule.ask_now(status.id, now)
                state.counts[status.id] = count
            elif state.ledger.add(status.in_reply_to_id or "", status.id, status.state):
                comments.append(self._comment(status))
        return SourceBatch(tuple(comments), posts=tuple(posts))

    def _comment(self, status: MastodonStatus, top: str | None = None) -> SourceComment:
        """A comment; one that answers a comment is under the same status as that."""
        parent = status.in_reply_to_id
        found = top or (self._tops.get(parent) or parent if parent is not None else None)
        self._tops[status.id] = found
        if len(self._tops) > _REMEMBERED:
            del self._tops[next(iter(self._tops))]
        return comment_of_status(status, self._host, found)

    async def _thread(self, top: str, state: "_MastodonState", now: datetime) -> SourceBatch:
        below = await self._rest.below(top)
        if below is None:
            state.schedule.remove(top)
            return SourceBatch()
        comments = [
            self._comment(status, top)
            for status in below
            if status.is_public and state.ledger.add(top, status.id, status.state)
        ]
        removals: list[SourceRemoval] = []
        shown = {status.id for status in below}
        missing = [one for one in state.ledger.on(top) if one not in shown]
        for one in missing[:_CHECKED]:
            if not await self._rest.exists(one):
                state.ledger.remove(top, one)
                removals.append(SourceRemoval(f"{self._host}/{one}", now))
        state.schedule.asked(top, now, len(comments))
        return SourceBatch(tuple(comments), tuple(removals))

    # The stream.

    async def read(self, cursor: SourceCursor | None) -> AsyncGenerator[SourceBatch, None]:
        """What happens; the stream does not go back, so the poller asks for what was missed."""
        name = await self._name()
        if self._id is None or self._id[0] != name:
            found = await self._rest.account(name)
            await self._learn_owner(found)
            self._id = (name, found.id)
        streaming = await self._rest.streaming_url() or self._server.replace("http", "ws", 1)
        uri = f"{streaming}/api/v1/streaming"
        async with await open_websocket(uri, self._context, self._token) as connection:
            await connection.send('{"type":"subscribe","stream":"user"}')
            for tag in self._spec.hashtags:
                wish = {"type": "subscribe", "stream": "hashtag", "tag": tag}
                await connection.send(json.dumps(wish))
            self._ask_all = True
            while True:
                # Without a message the connection is alive all the same: it answers pings.
                group = await next_messages(connection, self._host, lambda _: True, idle=20.0)
                yield self._happened(group.wanted, self._id[1])

    def _happened(self, messages: Sequence[bytes], account_id: str) -> SourceBatch:
        now = self._context.clock.now()
        comments: dict[str, SourceComment] = {}
        posts: list[SourcePost] = []
        removals: list[SourceRemoval] = []
        for message in messages:
            event, payload = _event(message)
            if event == "delete":
                if payload in self._tops:  # others in the token's timeline are nobody's comment
                    removals.append(SourceRemoval(f"{self._host}/{payload}", now))
                continue
            status = _status(event, payload)
            if status is None or not status.is_public:
                continue
            if status.account.id == account_id and status.in_reply_to_id is None:
                posts.append(post_of_status(status, self._host, now))
            elif self._concerns(status, account_id):
                found = self._comment(status)
                comments[found.comment_id] = found
        return SourceBatch(tuple(comments.values()), tuple(removals), tuple(posts))

    def _concerns(self, status: MastodonStatus, account_id: str) -> bool:
        tags = {tag.lower() for tag in self._spec.hashtags}
        return (
            account_id in {status.account.id, status.in_reply_to_account_id}
            or any(one.id == account_id for one in status.mentions)
            or any(tag.name.lower() in tags for tag in status.tags)
        )

    async def preview(self) -> SourcePreview:
        """The account and the newest answers to its newest statuses."""
        name = await self._name()
        now = self._context.clock.now()
        state = _MastodonState(None, name, now)
        await self._profile(state, now)
        page = await self._rest.page(f"/api/v1/accounts/{state.account_id}/statuses")
        self._sort(page.statuses, state, now)
        found: list[SourceComment] = []
        for top in state.schedule.due(now, 5):
            found += (await self._thread(top, state, now)).comments
        newest = sorted(found, key=lambda one: str(one.created_at), reverse=True)
        own = (
            "Mentions of the KOL at once: the token is the KOL's."
            if self._is_own
            else "Answers within minutes; at once only with a token of the KOL's own account."
        )
        tags = ", ".join(f"#{tag}" for tag in self._spec.hashtags)
        return SourcePreview(
            account=f"@{name} (Mastodon, as {self._host} knows it)",
            sees=(
                "Answers to the KOL's statuses, with edits and deletions, and the KOL's own.",
                own,
                *([f"Public statuses with {tags}."] if tags else []),
            ),
            cannot_see=(
                f"Answers that did not reach {self._host}: each server knows a part of them.",
                "Statuses for followers only, and direct messages.",
                "Mentions without a hashtag or an answer, unless the token is the KOL's.",
            ),
            costs=(f"At most {self._spec.requests_an_hour:,} requests an hour; no charge.",),
            comments=tuple(newest[:10]),
        )


class _MastodonState:
    """What the cursor holds; another account begins anew."""

    def __init__(self, cursor: SourceCursor | None, name: str, now: datetime) -> None:
        written = dict(cursor or {})
        written = written if written.get("name") == name else {}
        self.name = name
        self.account_id: str | None = written.get("account_id")
        self.since = float(written.get("since") or now.timestamp())
        self.profile_at = float(written.get("profile_at") or 0)
        self.listings: dict[str, dict[str, Any]] = dict(written.get("listings") or {})
        self.counts: dict[str, int] = dict(written.get("counts") or {})
        self.schedule = PostSchedule.of(written.get("posts"))
        self.ledger = CommentLedger.of(written.get("ledger"))

    def as_json(self) -> Mapping[str, Any]:
        return {
            "name": self.name,
            "account_id": self.account_id,
            "since": self.since,
            "profile_at": self.profile_at,
            "listings": self.listings,
            "counts": {one: n for one, n in self.counts.items() if one in self.schedule},
            "posts": self.schedule.as_json(),
            "ledger": self.ledger.as_json(),
        }


def whole_name(entered: str) -> str:
    """An account as `lookup` knows it; people also write the link."""
    found = entered.strip().rstrip("/")
    if found.startswith(("http://", "https://")):
        parts = urlsplit(found)
        return f"{parts.path.rpartition('/')[2].lstrip('@')}@{parts.hostname}"
    return found.lstrip("@")


def _event(message: bytes) -> tuple[str, str]:
    try:
        found = msgspec.json.decode(message)
        return str(found["event"]), str(found.get("payload") or "")
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise BadAnswer("the stream sent a message that is no event") from None


def _status(event: str, payload: str) -> MastodonStatus | None:
    if event not in {"update", "status.update", "notification"}:
        return None
    try:
        value = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        raise BadAnswer(f"the stream sent {event!r} with a cut status") from None
    if event == "notification":
        return read_as(value, MastodonNotification).status
    return read_as(value, MastodonStatus)


register(
    SourceType(
        name="mastodon",
        title="Mastodon",
        about="Answers to a KOL's statuses on Mastodon, mentions and hashtags.",
        platform="mastodon",
        source=MastodonSource,
        spec=MastodonSpec,
        build=MastodonSource,
        example={"server": "https://mastodon.social", "access_token": "example-of-a-token"},
        budget=lambda spec: QuotaBudget(spec.requests_an_hour, QuotaPeriod(PeriodLength.HOUR)),
    )
)
