"""What the stream does not bring: history, counts, followers, and what was missed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from serving.sources.bluesky.app_view import AppView, PostThread, PostView
from serving.sources.bluesky.feed_post import COLLECTION, author_of, comment_from, post_from
from serving.sources.bluesky.roster import BlueskyRoster
from serving.sources.comment_ledger import CommentLedger
from serving.sources.post_schedule import PostSchedule
from serving.sources.source import SourceCursor
from serving.sources.source_batch import (
    SourceBatch,
    SourceComment,
    SourceFollowers,
    SourcePost,
    SourceRemoval,
)
from serving.sources.source_context import SourceContext

_FEED = timedelta(minutes=3)
_PROFILE = timedelta(hours=1)
_OVERLAP = timedelta(minutes=10)
_YOUNG = timedelta(days=2)  # posts without a comment that are asked
_MOST = 5000  # comments of a batch

_Step = Callable[[], Awaitable[SourceBatch]]


@dataclass(slots=True)
class FeedState:
    """How far an account was read; times in seconds since 1970.

    Attributes:
        since: when it was connected; what is older is history.
        until: back to where the feed is read now.
        begun: when the reading of the feed began.
        page: where it continues; None at its newest post.
        feed_at: when the feed was read to its end last; 0 if it never was.
        profile_at: when the profile was asked last.
    """

    since: float
    until: float = 0.0
    begun: float = 0.0
    page: str | None = None
    feed_at: float = 0.0
    profile_at: float = 0.0


@dataclass(slots=True)
class CatchUpState:
    """What the cursor holds."""

    feeds: dict[str, FeedState]
    schedule: PostSchedule
    known: CommentLedger

    @classmethod
    def of(cls, cursor: SourceCursor | None) -> "CatchUpState":
        """Read it; what cannot be read is found anew."""
        written = cursor or {}
        feeds: dict[str, FeedState] = {}
        rows = written.get("feeds")
        for did, row in rows.items() if isinstance(rows, dict) else ():
            try:
                feeds[did] = FeedState(**row)
            except TypeError:
                continue
        known = CommentLedger.of(written.get("known"))
        return cls(feeds, PostSchedule.of(written.get("posts")), known)

    def as_json(self, roster: BlueskyRoster) -> Mapping[str, Any]:
        """For the cursor."""
        return {
            "roster": roster.as_json(),
            "feeds": {did: asdict(feed) for did, feed in self.feeds.items()},
            "posts": self.schedule.as_json(),
            "known": self.known.as_json(),
        }


class BlueskyCatchUp:
    """One step a call: a profile, a page of a feed, or a thread."""

    def __init__(
        self,
        context: SourceContext,
        app_view: AppView,
        roster: BlueskyRoster,
        *,
        history: timedelta,
        mentions: bool,
    ) -> None:
        self._context = context
        self._app_view = app_view
        self._roster = roster
        self._history = history
        self._mentions = mentions
        self._held: tuple[SourceCursor | None, SourceBatch] | None = None
        self._counts: dict[str, tuple[int, int]] = {}

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """The next step; see `Poller.poll`."""
        if (held := self._held) is not None:
            self._held = None
            if held[0] == cursor:
                return held[1]
        roster = self._roster
        roster.recall((cursor or {}).get("roster"))
        await roster.refresh()
        now = self._context.clock.now()
        state = CatchUpState.of(cursor)
        state.feeds = {
            did: state.feeds.get(did) or FeedState(now.timestamp()) for did in roster.dids
        }
        self._take_hints(state, now)
        step = self._next_step(state, now)
        if step is not None:
            batch = await step()
            more = self._next_step(state, now) is not None
            return self._split(replace(batch, more=more), state, cursor)
        if roster.faults:
            raise next(iter(roster.faults.values()))
        return SourceBatch(cursor=state.as_json(roster))

    def _take_hints(self, state: CatchUpState, now: datetime) -> None:
        """What the stream saw since the last step."""
        roster = self._roster
        while roster.active_posts:
            uri, published = roster.active_posts.popleft()
            if published is not None:
                state.schedule.add(uri, published, now)
            elif author_of(uri) in roster.dids and uri not in state.schedule:
                state.schedule.add(uri, now, now)
        if roster.ask_all:
            roster.ask_all = False
            for feed in state.feeds.values():
                feed.feed_at = min(feed.feed_at, now.timestamp() - _FEED.total_seconds())
            for row in state.schedule.as_json():
                state.schedule.ask_now(row["id"], now)

    def _next_step(self, state: CatchUpState, now: datetime) -> _Step | None:
        """What is to be asked now; None if nothing is."""
        seconds = now.timestamp()
        for did, feed in state.feeds.items():
            if seconds - feed.profile_at >= _PROFILE.total_seconds():
                return partial(self._profile, did, feed, now)
        for did, feed in state.feeds.items():
            if feed.begun or seconds - feed.feed_at >= _FEED.total_seconds():
                return partial(self._feed, did, feed, state, now)
        for uri in state.schedule.due(now):
            if author_of(uri) in state.feeds:
                return partial(self._thread, uri, state, now)
            state.schedule.remove(uri)  # of an account that is not read any more
        return None

    async def _profile(self, did: str, feed: FeedState, now: datetime) -> SourceBatch:
        found = await self._app_view.profile(did)
        feed.profile_at = now.timestamp()
        if found.followers_count is None:
            return SourceBatch()
        kol_id = self._roster.dids[did]
        return SourceBatch(followers=(SourceFollowers(found.followers_count, now, kol_id),))

    async def _feed(
        self, did: str, feed: FeedState, state: CatchUpState, now: datetime
    ) -> SourceBatch:
        if not feed.begun:
            feed.begun, feed.page = now.timestamp(), None
            earliest = now - self._history
            feed.until = feed.feed_at - _OVERLAP.total_seconds() if feed.feed_at else 0.0
            feed.until = max(feed.until, earliest.timestamp())
        answer = await self._app_view.feed(did, feed.page)
        kol_id = self._roster.dids[did]
        posts: list[SourcePost] = []
        comments: list[SourceComment] = []
        oldest = now
        for item in answer.feed:
            view = item.post
            content = view.content()
            if view.author.did != did or content is None:  # somebody else's, shared
                continue
            seen_at = view.seen_at()
            oldest = min(oldest, seen_at)
            if content.reply is not None:
                own = comment_from(view.uri, content, kol_id, seen_at, view.like_count)
                if state.known.add(did, _short(view.uri), view.like_count):
                    comments.append(own)
                continue
            posts.append(post_from(view.uri, content, kol_id, seen_at, view.counts(now)))
            self._schedule(view, seen_at, state, now)
        feed.page = answer.cursor
        if not answer.feed or answer.cursor is None or oldest.timestamp() < feed.until:
            feed.feed_at, feed.begun, feed.page = feed.begun, 0.0, None
        return SourceBatch(comments=tuple(comments), posts=tuple(posts))

    def _schedule(
        self, view: PostView, seen_at: datetime, state: CatchUpState, now: datetime
    ) -> None:
        counted = (view.reply_count or 0, view.quote_count or 0)
        before = self._counts.get(view.uri)
        if any(counted) or now - seen_at < _YOUNG:
            is_new = state.schedule.add(view.uri, seen_at, now)
            if not is_new and before is not None and counted > before:
                state.schedule.ask_now(view.uri, now)
        self._counts[view.uri] = counted
        if len(self._counts) > 4 * _MOST:
            self._counts.clear()

    async def _thread(self, uri: str, state: CatchUpState, now: datetime) -> SourceBatch:
        found = await self._app_view.thread(uri)
        if found is None:
            state.schedule.remove(uri)
            return SourceBatch()
        quotes: Sequence[PostView] | None = None
        if self._mentions and found.post.quote_count:
            quotes = await self._app_view.quotes(uri)
        kol_id = self._roster.dids[author_of(uri)]
        comments: list[SourceComment] = []
        for place, views in ((_short(uri), found.replies), (_short(uri) + "#", quotes or ())):
            for view in views[:_MOST]:
                content = view.content()
                if content is None or (place.endswith("#") and view.author.did in state.feeds):
                    continue
                if state.known.add(place, _short(view.uri), view.like_count):
                    seen_at = view.seen_at()
                    comments.append(
                        comment_from(view.uri, content, kol_id, seen_at, view.like_count)
                    )
                self._roster.note(view.uri, view.author.did, kol_id)
        removals = await self._vanished(_short(uri), found.replies, state, kol_id, now)
        if quotes is not None:
            removals += await self._vanished(_short(uri) + "#", quotes, state, kol_id, now)
        state.schedule.asked(uri, now, len(comments))
        return SourceBatch(
            tuple(comments[:_MOST]), tuple(removals), self._posts(found, kol_id, now)
        )

    def _posts(self, found: PostThread, kol_id: str, now: datetime) -> tuple[SourcePost, ...]:
        content = found.post.content()
        if content is None:
            return ()
        seen_at = found.post.seen_at()
        return (post_from(found.post.uri, content, kol_id, seen_at, found.post.counts(now)),)

    async def _vanished(
        self,
        place: str,
        views: Sequence[PostView],
        state: CatchUpState,
        kol_id: str,
        now: datetime,
    ) -> list[SourceRemoval]:
        """Comments that were there and do not exist any more: a long thread shows only a part."""
        shown = {_short(view.uri) for view in views}
        missing = [one for one in state.known.on(place) if one not in shown]
        if not missing:
            return []
        there = {_short(uri) for uri in await self._app_view.existing([*map(_long, missing)])}
        gone = [one for one in missing if one not in there]
        for one in gone:
            state.known.remove(place, one)
        return [SourceRemoval(_long(one), now, kol_id) for one in gone]

    def _split(
        self, batch: SourceBatch, state: CatchUpState, cursor: SourceCursor | None
    ) -> SourceBatch:
        """History apart from what is new: first the one, and at the next call the other."""
        since = {
            self._roster.dids[did]: datetime.fromtimestamp(feed.since, UTC)
            for did, feed in state.feeds.items()
        }
        old: list[SourceComment] = []
        new: list[SourceComment] = []
        for comment in batch.comments:
            written = comment.created_at
            is_old = isinstance(written, datetime) and written < since[str(comment.kol_id)]
            (old if is_old else new).append(comment)
        done = replace(batch, comments=tuple(new), cursor=state.as_json(self._roster))
        if not old:
            return done
        if not new:
            return replace(done, comments=tuple(old), history=True)
        self._held = (cursor, done)
        return SourceBatch(comments=tuple(old), more=True, history=True)


def _short(uri: str) -> str:
    return uri.removeprefix("at://").replace(f"/{COLLECTION}/", "/")


def _long(short: str) -> str:
    did, _, rkey = short.partition("/")
    return f"at://{did}/{COLLECTION}/{rkey}"
