"""Reddit: what is written under a KOL's submissions, and where listed subreddits name the KOL."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from serving.sources.faults import AccountGone, BadAnswer, Misconfigured
from serving.sources.history_split import HistorySplit
from serving.sources.kol_accounts import KolAccount
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import PeriodLength, QuotaPeriod
from serving.sources.reddit import things
from serving.sources.reddit.session import RedditSession
from serving.sources.reddit.state import RedditState
from serving.sources.registry import SourceType, register
from serving.sources.source import Poller, SourceCursor, SourcePreview
from serving.sources.source_batch import (
    SourceBatch,
    SourceComment,
    SourceFollowers,
    SourcePost,
    SourceRemoval,
)
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED, Secret, SourceSpec

_PAGE = 100  # also the most ids of one request
_LISTING = timedelta(minutes=3)
_PROFILE = timedelta(hours=1)
_OVERLAP = timedelta(minutes=5).total_seconds()
_WAITING = 5000  # ids of comments of a long thread that are still to be asked for

Subreddit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{2,50}$")]
_Step = Callable[[], Awaitable[SourceBatch]]


class RedditSpec(SourceSpec):
    """An app of Reddit, and where it looks."""

    client_id: str = Field(
        title="Client id",
        description="The id under the app's name at https://www.reddit.com/prefs/apps.",
        pattern=r"^[A-Za-z0-9_-]{5,60}$",
    )
    client_secret: Secret = Field(
        title="Client secret", description="The secret of the app, on the same page."
    )
    contact: str = Field(
        title="Your Reddit name",
        description="The account that registered the app; Reddit wants it in every request.",
        pattern=r"^[A-Za-z0-9_-]{2,20}$",
    )
    subreddits: tuple[Subreddit, ...] = Field(
        (),
        max_length=20,
        title="Subreddits",
        description="Subreddits in which threads and comments that name the KOL are looked for.",
    )
    names: tuple[str, ...] = Field(
        (),
        max_length=20,
        title="Other names",
        description="What people call the KOL besides the name in its profile.",
    )
    refresh_token: Secret | None = Field(
        None,
        title="Refresh token",
        description="Of an account that has to be signed in, for private subreddits; else none.",
        json_schema_extra=ADVANCED,
    )
    requests_an_hour: int = Field(
        1500,
        ge=60,
        le=6000,
        title="Requests an hour",
        description="The most requests in an hour; Reddit allows 6,000 to all sources of an app.",
        json_schema_extra=ADVANCED,
    )
    api_url: str = Field(
        "https://oauth.reddit.com",
        title="Address of the API",
        description="Where Reddit's API answers.",
        json_schema_extra=ADVANCED,
    )
    token_url: str = Field(
        "https://www.reddit.com",
        title="Address of the tokens",
        description="Where Reddit gives out tokens.",
        json_schema_extra=ADVANCED,
    )


class RedditSource(Poller):
    """One listing, thread or part of a thread a call."""

    least_interval = timedelta(seconds=20)
    most_interval = timedelta(minutes=3)

    def __init__(self, spec: RedditSpec, context: SourceContext) -> None:
        token = spec.refresh_token
        self._session = RedditSession(
            context,
            api_url=spec.api_url,
            token_url=spec.token_url,
            client_id=spec.client_id,
            client_secret=spec.client_secret.get_secret_value(),
            refresh_token=None if token is None else token.get_secret_value(),
            user_agent=f"linux:groundswell:v1 (by /u/{spec.contact})",
        )
        self._spec = spec
        self._context = context
        self._split = HistorySplit()

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """What is due: a profile, a listing, or a thread."""
        if (held := self._split.take(cursor)) is not None:
            return held
        kol = await self._kol()
        now = self._context.clock.now()
        state = RedditState(cursor, now)
        step = self._next_step(state, kol, now)
        if step is None:
            return SourceBatch(cursor=state.as_json())
        batch = await step()
        more = self._next_step(state, kol, now) is not None
        batch = replace(batch, more=more, cursor=state.as_json(), backlog=len(state.waiting))
        return self._split.split(batch, datetime.fromtimestamp(state.since, UTC), cursor)

    async def _kol(self) -> KolAccount:
        found = await self._context.accounts.on("reddit")
        kol = next((one for one in found if one.kol_id == self._context.kol_id), None)
        kol = kol or KolAccount(self._context.kol_id or "", None, None)
        if not kol.handle and not (self._spec.subreddits and self._names(kol)):
            raise Misconfigured(
                "the KOL has no account on reddit, and there is nothing to look for elsewhere",
                remedy="enter the KOL's handle on reddit in its profile, or list subreddits",
            )
        return kol

    def _names(self, kol: KolAccount) -> list[str]:
        return [one for one in (kol.name, kol.handle, *self._spec.names) if one]

    def _next_step(self, state: RedditState, kol: KolAccount, now: datetime) -> _Step | None:
        seconds = now.timestamp()
        if kol.handle and seconds - state.profile_at >= _PROFILE.total_seconds():
            return partial(self._profile, kol.handle, state, now)
        for path in self._listings(kol):
            listing = state.listings.get(path, {})
            if listing.get("begun") or seconds - listing.get("at", 0) >= _LISTING.total_seconds():
                return partial(self._listing, path, state, kol, now)
        if state.waiting:
            return partial(self._rest, state, now)
        if due := state.schedule.due(now, 1):
            return partial(self._thread, due[0], state, kol, now)
        return None

    def _listings(self, kol: KolAccount) -> list[str]:
        found = [f"/user/{kol.handle}/submitted"] if kol.handle else []
        if self._names(kol):
            for subreddit in self._spec.subreddits:
                found += [f"/r/{subreddit}/search", f"/r/{subreddit}/comments"]
        return found

    async def _profile(self, name: str, state: RedditState, now: datetime) -> SourceBatch:
        found = await self._session.get(f"/user/{name}/about")
        state.profile_at = now.timestamp()
        try:
            about = found["data"]
            if about.get("is_suspended"):
                raise AccountGone(f"Reddit has suspended the account u/{name}")
            followers = int(about["subreddit"]["subscribers"])
        except (KeyError, TypeError, ValueError):
            return SourceBatch()  # an account without a profile page
        return SourceBatch(followers=(SourceFollowers(followers, now),))

    async def _listing(
        self, path: str, state: RedditState, kol: KolAccount, now: datetime
    ) -> SourceBatch:
        listing = state.listings.setdefault(path, {})
        if not listing.get("begun"):
            until = listing.get("at", 0) - _OVERLAP
            listing.update(begun=now.timestamp(), until=until, after=None)
        params = {"limit": _PAGE, "sort": "new", "after": listing.get("after")}
        if path.endswith("/search"):
            quoted = " OR ".join(f'"{name}"' for name in self._names(kol))
            params |= {"q": quoted, "restrict_sr": "1", "type": "link"}
        answer = await self._session.get(path, params)
        batch = self._read_listing(path, answer, state, kol, now)
        found = [*things.children_of(answer, "t3"), *things.children_of(answer, "t1")]
        oldest = min((one.get("created_utc") or 0 for one in found), default=0)
        listing["after"] = answer["data"].get("after")
        if not found or listing["after"] is None or oldest < listing["until"]:
            listing.update(at=listing["begun"], begun=0, after=None)
        return batch

    def _read_listing(
        self, path: str, answer: Any, state: RedditState, kol: KolAccount, now: datetime
    ) -> SourceBatch:
        posts: list[SourcePost] = []
        comments: list[SourceComment] = []
        removals: list[SourceRemoval] = []
        for data in things.children_of(answer, "t3"):
            post = things.post_of(data, now)
            is_own = path.startswith("/user/")
            if is_own:
                posts.append(post)
            elif not self._names_kol(things.text_of(data), kol):
                continue  # the search finds more than was asked for
            elif state.ledger.add(post.post_id, post.post_id, things.state_of(data)):
                comments.append(things.comment_of_submission(data))
            is_new = state.schedule.add(post.post_id, post.created_at or now, now)
            count = int(data.get("num_comments") or 0)
            if not is_new and count > state.counts.get(post.post_id, count):
                state.schedule.ask_now(post.post_id, now)
            state.counts[post.post_id] = count
        for data in things.children_of(answer, "t1"):
            if data.get("link_id") in state.schedule or self._names_kol(str(data.get("body")), kol):
                self._take(data, state, comments, removals, now)
        return SourceBatch(tuple(comments), tuple(removals), tuple(posts))

    def _names_kol(self, text: str, kol: KolAccount) -> bool:
        names = "|".join(re.escape(name) for name in self._names(kol))
        return re.search(rf"(?<!\w)(?:{names})(?!\w)", text, re.IGNORECASE) is not None

    def _take(
        self,
        data: Mapping[str, Any],
        state: RedditState,
        comments: list[SourceComment],
        removals: list[SourceRemoval],
        now: datetime,
    ) -> None:
        """A comment, if it is new or changed."""
        comment = things.comment_of(data)
        if not state.ledger.add(str(comment.post_id), comment.comment_id, things.state_of(data)):
            return
        if things.is_removed(data):
            removals.append(SourceRemoval(comment.comment_id, now))
        else:
            comments.append(comment)

    async def _thread(
        self, post_id: str, state: RedditState, kol: KolAccount, now: datetime
    ) -> SourceBatch:
        path = f"/comments/{post_id.removeprefix('t3_')}"
        try:
            answer = await self._session.get(path, {"limit": 500, "sort": "new"})
        except AccountGone:
            state.schedule.remove(post_id)
            return SourceBatch()
        if not isinstance(answer, list) or len(answer) != 2:
            raise BadAnswer("a thread of Reddit is no pair of listings")
        tree = things.RedditTree()
        tree.add(_listed(answer[1]))
        batch = self._read_tree(tree, post_id, state, now)
        is_whole = not tree.children and not tree.branches
        removals = [*batch.removals]
        if is_whole:
            removals += await self._vanished(post_id, tree, state, now)
        state.schedule.asked(post_id, now, len(batch.comments))
        own = [
            things.post_of(data, now)
            for data in things.children_of(answer[0], "t3")
            if str(data.get("author")).lower() == (kol.handle or "").lower()
        ]
        return replace(batch, removals=tuple(removals), posts=tuple(own))

    def _read_tree(
        self, tree: things.RedditTree, post_id: str, state: RedditState, now: datetime
    ) -> SourceBatch:
        comments: list[SourceComment] = []
        removals: list[SourceRemoval] = []
        for data in tree.comments:
            self._take(data, state, comments, removals, now)
        state.waiting += [[post_id, "", one] for one in tree.children]
        state.waiting += [[post_id, "branch", one] for one in tree.branches]
        del state.waiting[_WAITING:]
        return SourceBatch(tuple(comments), tuple(removals))

    async def _rest(self, state: RedditState, now: datetime) -> SourceBatch:
        """More of a long thread: a hundred comments, or what is below one."""
        post_id, kind, first = state.waiting[0]
        tree = things.RedditTree()
        if kind == "branch":
            path = f"/comments/{post_id.removeprefix('t3_')}/_/{first}"
            asked = [state.waiting[0]]
            answer = await self._session.get(path, {"limit": 500})
            tree.add(_listed(answer[1] if isinstance(answer, list) and answer[1:] else None))
            tree.branches = [one for one in tree.branches if one != first]
        else:
            asked = [one for one in state.waiting if one[:2] == [post_id, ""]][:_PAGE]
            ids = ",".join(one[2] for one in asked)
            params = {"link_id": post_id, "children": ids, "api_type": "json"}
            answer = await self._session.get("/api/morechildren", params)
            try:
                tree.add(answer["json"]["data"]["things"])
            except (KeyError, TypeError) as error:
                raise BadAnswer(f"what Reddit gives of a long thread lacks {error}") from None
        state.waiting = [one for one in state.waiting if one not in asked]
        return self._read_tree(tree, post_id, state, now)

    async def _vanished(
        self, post_id: str, tree: things.RedditTree, state: RedditState, now: datetime
    ) -> list[SourceRemoval]:
        """Deleted comments without answers are not shown at all."""
        shown = {str(data["name"]) for data in tree.comments} | {post_id}
        known = state.ledger.on(post_id)
        missing = [one for one, at in known.items() if at != things.GONE and one not in shown]
        if not missing:
            return []
        answer = await self._session.get("/api/info", {"id": ",".join(missing[:_PAGE])})
        found = things.children_of(answer, "t1")
        there = {str(data.get("name")) for data in found if not things.is_removed(data)}
        gone = [one for one in missing[:_PAGE] if one not in there]
        for one in gone:
            state.ledger.add(post_id, one, things.GONE)
        return [SourceRemoval(one, now) for one in gone]

    async def preview(self) -> SourcePreview:
        """The account, and the newest comments under its newest submissions."""
        kol = await self._kol()
        now = self._context.clock.now()
        state = RedditState(None, now)
        found: list[SourceComment] = []
        for path in self._listings(kol)[:5]:
            await self._listing(path, state, kol, now)
        for post_id in state.schedule.due(now, 5):
            found += (await self._thread(post_id, state, kol, now)).comments
        newest = sorted(found, key=lambda one: str(one.created_at), reverse=True)
        where = ", ".join(f"r/{one}" for one in self._spec.subreddits)
        account = f"u/{kol.handle}" if kol.handle else ""
        return SourcePreview(
            account=" and ".join(one for one in (account, where) if one),
            sees=(
                "Comments under the KOL's submissions, with edits, removals and scores.",
                *([f"Threads and comments that name the KOL in {where}."] if where else []),
            ),
            cannot_see=(
                "Subreddits that are not listed, private ones, and direct messages.",
                "Who voted: a score is upvotes less downvotes, and hidden at first.",
                "More than the newest 1,000 entries of a list: Reddit does not give them.",
            ),
            costs=(
                f"At most {self._spec.requests_an_hour:,} requests an hour.",
                "Free for what Reddit approves; commercial use needs a contract with Reddit.",
            ),
            comments=tuple(newest[:10]),
        )


def _listed(listing: Any) -> Sequence[Any]:
    try:
        found: Sequence[Any] = listing["data"]["children"]
    except (KeyError, TypeError) as error:
        raise BadAnswer(f"a thread of Reddit lacks {error}") from None
    return found


register(
    SourceType(
        name="reddit",
        title="Reddit",
        about="Comments under a KOL's submissions, and where listed subreddits name the KOL.",
        platform="reddit",
        source=RedditSource,
        spec=RedditSpec,
        build=RedditSource,
        example={
            "client_id": "p-jcoLKBynTLew",
            "client_secret": "gko-example-of-a-secret",
            "contact": "groundswell_pr",
            "subreddits": ["beauty"],
        },
        budget=lambda spec: QuotaBudget(spec.requests_an_hour, QuotaPeriod(PeriodLength.HOUR)),
    )
)
