"""Reads the comments of one post, page by page, and notices which are gone."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from serving.sources.graph_api.account_state import AccountState, PostVisit
from serving.sources.graph_api.graph_faults import InvalidParameter, MissingObject
from serving.sources.graph_api.graph_records import (
    CommentLookup,
    CommentPage,
    GraphAccount,
    GraphApi,
)
from serving.sources.graph_api.known_comments import KnownComment
from serving.sources.source_batch import SourceBatch, SourceComment, SourcePost, SourceRemoval

_logger = structlog.get_logger(__name__)
_PAGES = 40  # of a post that are read in one go, but for its history
_CHECKED = 10  # comments of a page whose absence is checked
_RESTARTS = 3


class PostReader:
    """The comments of the posts of one account.

    A step changes the state; a step that fails must not be committed.
    """

    def __init__(
        self, api: GraphApi, account: GraphAccount, state: AccountState, *, flat: bool
    ) -> None:
        """Prepare.

        Args:
            api: of the platform.
            account: whose posts are read.
            state: where its reading is.
            flat: whether replies are listed like other comments, by their time.
        """
        self._api = api
        self._account = account
        self._state = state
        self._flat = flat

    async def step(self, now: datetime, *, past: bool) -> SourceBatch:
        """Read one page of the post that is being read.

        Args:
            now: the present instant.
            past: whether it is the post whose history is being read.

        Raises:
            SourceFault: the platform refused.
        """
        reading = self._state.past if past else self._state.reading
        assert reading is not None
        try:
            return await self._page(reading, now, past=past)
        except MissingObject:  # it was deleted, perhaps between two of its pages
            self._state.drop(reading.post_id)
            self._leave(past=past)
            return SourceBatch(history=past)
        except InvalidParameter:
            if reading.after is None and not reading.replies:
                raise
        if reading.restarts < _RESTARTS:  # from its newest comment, so that nothing is lost
            fresh = PostVisit(reading.post_id, floor=reading.floor, since=reading.since)
            fresh.want, fresh.restarts = reading.want, reading.restarts + 1
            self._state.past, self._state.reading = (
                (fresh, self._state.reading) if past else (self._state.past, fresh)
            )
        else:
            _logger.warning("source_pages_expire", post=reading.post_id, pages=reading.pages)
            if past:
                self._finish(reading, now, past=True)
            else:
                self._state.schedule.asked(reading.post_id, now, 0)  # again later
                self._leave(past=False)
        return SourceBatch(history=past)

    async def _page(self, reading: PostVisit, now: datetime, *, past: bool) -> SourceBatch:
        posts: list[SourcePost] = []
        removals: list[SourceRemoval] = []
        if reading.replies:
            comment_id, after = reading.replies[0]
            page = await self._api.replies(self._account, reading.post_id, comment_id, after)
            del reading.replies[0]
            if page.after is not None:
                reading.replies.insert(0, [comment_id, page.after])
            found = [self._stamped(one, reading, now) for one in page.comments]
            self._note(found, reading)
            is_done = reading.is_last
        else:
            if reading.pages == 0:
                counts = await self._api.counts(self._account, reading.post_id)
                if counts is not None:
                    posts = [SourcePost(reading.post_id, self._state.kol_id, counts=counts)]
            page = await self._api.comments(self._account, reading.post_id, reading.after)
            found = [self._stamped(one, reading, now) for one in page.comments]
            removals = await self._gone(reading, page, now)
            self._note(found, reading)
            reading.replies = [list(one) for one in page.replies]
            is_done = self._turn(reading, page, past=past)
        if is_done and not reading.replies:
            self._finish(reading, now, past=past)
        return SourceBatch(comments=found, removals=removals, posts=posts, history=past)

    def _stamped(self, comment: SourceComment, reading: PostVisit, now: datetime) -> SourceComment:
        """A comment with its KOL and, if it has another text than before, the time of its edit."""
        state, post_id = self._state, reading.post_id
        known = state.known.get(post_id, comment.comment_id)
        is_edited = known is not None and known.text != _digest(comment.text)
        return replace(
            comment,
            kol_id=state.kol_id,
            post_id=comment.post_id or post_id,
            edited_at=comment.edited_at or (now if is_edited else None),
        )

    def _note(self, comments: Sequence[SourceComment], reading: PostVisit) -> None:
        for comment in comments:
            at = _seconds(comment)
            self._state.known.add(
                reading.post_id,
                comment.comment_id,
                KnownComment(at, comment.parent_id, _digest(comment.text)),
            )
            reading.newest = at if reading.newest is None else max(reading.newest, at)
            reading.found += reading.since is None or at > reading.since

    def _turn(self, reading: PostVisit, page: CommentPage, *, past: bool) -> bool:
        """Turn to the next page; whether none is wanted."""
        times = self._times(page)
        reading.pages += 1
        reading.after = page.after
        reading.upper = min(times, default=reading.upper)
        enough = (
            reading.floor is not None
            and reading.upper is not None
            and reading.upper < reading.floor
            and reading.found >= reading.want
        )
        endless = reading.pages >= _PAGES and not past and reading.since is not None
        reading.is_last = page.after is None or enough or endless
        return reading.is_last

    def _times(self, page: CommentPage) -> list[float]:
        """When the comments of a page were written that are in order."""
        return [_seconds(one) for one in page.comments if self._flat or one.parent_id is None]

    async def _gone(
        self, reading: PostVisit, page: CommentPage, now: datetime
    ) -> list[SourceRemoval]:
        """Comments that were there and are not: each is asked for, as pages can be empty."""
        known, post_id = self._state.known, reading.post_id
        times = self._times(page)
        if page.after is not None and not times:
            return []
        unfinished = {comment_id for comment_id, _ in page.replies}
        there = {one.comment_id for one in page.comments}
        missing = known.missing(
            post_id,
            there,
            upper=reading.upper,
            lower=min(times) if page.after is not None else None,
            whole=there - unfinished,
            flat=self._flat,
        )
        gone: list[str] = []
        for comment_id in missing[:_CHECKED]:
            try:
                await self._api.look_up(
                    self._account, CommentLookup(self._account.account_id, comment_id)
                )
            except MissingObject:
                gone += [comment_id, *known.replies_to(post_id, comment_id)]
        for comment_id in gone:
            known.discard(post_id, comment_id)
        return [SourceRemoval(one, now, self._state.kol_id) for one in dict.fromkeys(gone)]

    def _finish(self, reading: PostVisit, now: datetime, *, past: bool) -> None:
        """The post was read as far as is wanted."""
        state, post_id = self._state, reading.post_id
        progress = state.posts.get(post_id)
        if progress is not None:
            seen = [one for one in (progress.newest, reading.newest) if one is not None]
            progress.newest = max(seen, default=now.timestamp())
            if reading.floor is None:
                progress.deep = now.timestamp()
            if past:
                state.ask_from_now(post_id, now)
            else:
                state.schedule.asked(post_id, now, reading.found)
        self._leave(past=past)

    def _leave(self, *, past: bool) -> None:
        state = self._state
        if not past:
            state.reading = None
        else:
            if state.past is not None and state.past.post_id in state.history:
                state.history.remove(state.past.post_id)
            state.past = None


def _seconds(comment: SourceComment) -> float:
    at = comment.created_at
    return at.timestamp() if isinstance(at, datetime) else 0.0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
