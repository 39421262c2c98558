"""Reads one account, one page at a time: its posts, their new comments, its past."""

from dataclasses import replace
from datetime import datetime, timedelta

from serving.sources.graph_api.account_state import AccountState, PostVisit, is_due
from serving.sources.graph_api.graph_faults import InvalidParameter
from serving.sources.graph_api.graph_records import GraphAccount, GraphApi
from serving.sources.graph_api.post_reader import PostReader
from serving.sources.source_batch import SourceBatch, SourceFollowers, SourcePost

_PROFILE = timedelta(hours=1)
_FULL_LIST = timedelta(hours=6)
_OVERLAP = 600.0  # seconds of comments that are read again
_DEEP = timedelta(hours=6)
_DEEP_AGAIN = timedelta(minutes=30)  # if comments were deleted
_DAY = 86_400.0
_YOUNG = timedelta(days=7)  # posts that are read to their end now and then


class AccountReader:
    """One account. A step changes its state; a step that fails must not be committed."""

    def __init__(
        self,
        api: GraphApi,
        account: GraphAccount,
        state: AccountState,
        *,
        list_interval: timedelta,
        history: timedelta,
        flat: bool,
    ) -> None:
        """Prepare.

        Args:
            api: of the platform.
            account: that is read.
            state: where its reading is.
            list_interval: between two looks at its posts.
            history: how old posts may be whose comments are read.
            flat: whether the platform lists replies like other comments, by their time.
        """
        self._api = api
        self._account = account
        self._state = state
        self._list_interval = list_interval
        self._history = history
        self._posts = PostReader(api, account, state, flat=flat)

    def has_work(self, now: datetime, *, hurry: bool = False) -> bool:
        """Whether `step` would ask something."""
        state = self._state
        return bool(
            self._lists(now, hurry)
            or is_due(state.profiled, _PROFILE, now)
            or state.reading is not None
            or state.schedule.due(now, 1)
            or state.past is not None
            or state.history
        )

    async def step(self, now: datetime, *, hurry: bool = False) -> SourceBatch | None:
        """Ask for one page of what is due.

        Args:
            now: the present instant.
            hurry: whether the posts are listed although their time has not come.

        Returns:
            What came; None if nothing is due.

        Raises:
            SourceFault: the platform refused.
        """
        state = self._state
        if self._lists(now, hurry):
            return await self._list(now)
        if is_due(state.profiled, _PROFILE, now):
            return await self._profile(now)
        if state.reading is None and (due := state.schedule.due(now, 1)):
            state.reading = self._begin(due[0], now)
        if state.reading is not None:
            return await self._posts.step(now, past=False)
        if state.past is None and state.history:
            state.past = PostVisit(state.history[0])
        return None if state.past is None else await self._posts.step(now, past=True)

    def _lists(self, now: datetime, hurry: bool) -> bool:
        state = self._state
        return hurry or state.listing is not None or is_due(state.listed, self._list_interval, now)

    async def _profile(self, now: datetime) -> SourceBatch:
        state = self._state
        found = await self._api.profile(self._account)
        state.profiled, state.handle = now.timestamp(), found.handle
        if found.followers is None:
            return SourceBatch()
        return SourceBatch(followers=[SourceFollowers(found.followers, now, state.kol_id)])

    async def _list(self, now: datetime) -> SourceBatch:
        """A page of the posts: all of them at first and now and then, else those that are new."""
        state = self._state
        first = not state.connected
        full = first or is_due(state.listed_fully, _FULL_LIST, now)
        try:
            page = await self._api.posts(self._account, state.listing)
        except InvalidParameter:
            if state.listing is None:
                raise
            page = await self._api.posts(self._account, None)  # the cursor expired
        news = [self._note_post(post, now) for post in page.posts]
        since = now - self._history
        too_old = any(
            post.created_at is not None and post.created_at < since for post in page.posts
        )
        more = page.after is not None and not too_old and (full or all(news))
        state.listing = page.after if more else None
        if not more:
            state.listed = now.timestamp()
            if full:
                state.connected, state.listed_fully = True, now.timestamp()
        posts = [replace(post, kol_id=state.kol_id) for post in page.posts]
        return SourceBatch(posts=posts, history=first)

    def _note_post(self, post: SourcePost, now: datetime) -> bool:
        """Decide when a post of the list is read; whether it is new."""
        state, post_id = self._state, post.post_id
        created = post.created_at or now
        count = None if post.counts is None else post.counts.comments
        is_new = post_id not in state.posts
        progress = state.progress(post_id, created)
        before, progress.count = progress.count, count
        if is_new:
            if created < now - self._history or (
                state.connected and not self._is_late(created, now)
            ):
                progress.newest = progress.deep = now.timestamp()  # only what comes from now on
            elif state.connected:
                state.schedule.add(post_id, created, now)
            else:
                state.history.append(post_id)
        elif count is not None and count != before and post_id not in state.history:
            grown = count - (before or 0)
            progress.pending += max(grown, 0)
            if grown < 0 and is_due(progress.deep, _DEEP_AGAIN, now):
                progress.deep = None
            state.schedule.add(post_id, created, now)
            state.schedule.ask_now(post_id, now)
        return is_new

    def _is_late(self, created: datetime, now: datetime) -> bool:
        """Whether a post was published since the list was read; if not, it was left out before."""
        listed = self._state.listed or 0.0
        return created.timestamp() > min(listed - _DAY, now.timestamp() - _YOUNG.total_seconds())

    def _begin(self, post_id: str, now: datetime) -> PostVisit:
        """How a post is read that is due: to its end, or until what was read before."""
        progress = self._state.posts.get(post_id)
        if progress is None or progress.newest is None:
            return PostVisit(post_id)
        young = now.timestamp() - progress.created < _YOUNG.total_seconds()
        deep = young and is_due(progress.deep, _DEEP, now)
        floor = None if deep or progress.deep is None else progress.newest - _OVERLAP
        want, progress.pending = progress.pending, 0
        return PostVisit(post_id, floor=floor, want=want, since=progress.newest)
