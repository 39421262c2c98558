"""X: replies to, mentions of and posts by a KOL, behind a cap of what may be read."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field, field_validator, model_validator

from serving.sources.faults import AccountGone, BadAnswer, PlatformBusy, QuotaSpent, SourceFault
from serving.sources.platform_client import PlatformAnswer
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import PeriodLength, QuotaPeriod
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
from serving.sources.x.post import FIELDS, read_post
from serving.sources.x.read_allowance import ReadAllowance

_PAGE = 100
_LEAST = 10  # posts of a page that X allows
_SEARCHED = timedelta(days=7) - timedelta(minutes=10)  # that a search reaches back
_RECHECKED = 100  # ids of a lookup
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}", re.ASCII)
_OVERLAP = timedelta(seconds=10)
_SETTLED = timedelta(minutes=1)
_FEWEST = 12
_USER_PRICE = 2  # a read of an account costs as much as two posts


class XSpec(SourceSpec):
    """An account on X, the token of an app, and what may be spent."""

    account: str = Field(
        title="Account", description="The KOL's name on X, such as @lenapark, without a link."
    )
    bearer_token: Secret = Field(
        title="Bearer token",
        description="The app's Bearer Token, from Keys and tokens in X's Developer Console.",
    )
    monthly_posts: int = Field(
        10_000,
        title="Posts a month",
        description="How many posts may be read in a calendar month (UTC), at most.",
        ge=_FEWEST,
        le=3_000_000,
    )
    monthly_spend: float = Field(
        50.0,
        title="Money a month",
        description="What may be spent in a calendar month, in the currency of the price, at most.",
        gt=0,
        le=1_000_000,
    )
    price_per_post: float = Field(
        0.005,
        title="Price of a post",
        description="What X bills for a post that is read; X's Developer Console shows it.",
        gt=0,
        le=100,
    )
    recheck_hours: float = Field(
        0.0,
        title="Hours between rechecks",
        description="How often the latest 100 are read again for likes, edits and removals; each is"
        " billed again. 0 is never.",
        ge=0,
        le=720,
    )
    api_url: str = Field(
        "https://api.x.com",
        title="Address of the API",
        description="Where X answers.",
        json_schema_extra=ADVANCED,
    )

    @field_validator("account")
    @classmethod
    def _check_account(cls, written: str) -> str:
        found = written.removeprefix("@")
        if not _HANDLE.fullmatch(found):
            raise ValueError("enter the name alone, such as @lenapark: letters, digits and _")
        return found

    @model_validator(mode="after")
    def _check_spend(self) -> "XSpec":
        if self.most_posts < _FEWEST:
            raise ValueError(
                f"monthly_spend buys {self.most_posts} posts; it has to buy {_FEWEST} at least,"
                " which the first request may cost"
            )
        return self

    @property
    def most_posts(self) -> int:
        """What may be read in a month, by both caps."""
        # A tenth of a billionth of a post more, for prices that binary numbers do not have.
        bought = math.floor(self.monthly_spend / self.price_per_post + 1e-10)
        return min(self.monthly_posts, bought)


class XSource(Poller):
    """Searches for what is new, page by page, newest first.

    The filtered stream is not used: X bills what it has sent into a connection, read or not, so a
    burst passes the cap before the connection is closed. A search costs only what it brings, and
    never more than it asks for; an empty one is free.
    """

    least_interval = timedelta(seconds=15)
    most_interval = timedelta(seconds=60)

    def __init__(self, spec: XSpec, context: SourceContext) -> None:
        self._spec = spec
        self._context = context
        self._clock = context.clock
        token = f"Bearer {spec.bearer_token.get_secret_value()}"
        self._client = context.client(
            spec.api_url, headers={"Authorization": token}, read_fault=_read_fault
        )
        self._allowance = ReadAllowance(context.quota)
        name = spec.account
        self._query = f"(to:{name} OR @{name} OR from:{name}) -is:retweet"

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """The next page of what was written after the newest post that is known.

        `newest` stays until the last page of a search, so that a stop in the middle leaves no gap.
        """
        place = dict(cursor or {})
        followers: list[SourceFollowers] = []
        if "user" not in place:
            place["user"], found = await self._account()
            followers.append(found)
        if self._recheck_due(place):
            return await self._recheck(place)
        token = place.pop("token", None)
        history = place.get("newest") is None
        posts, more = await self._page(
            {**self._since(place), "next_token": token}, _LEAST if token is None else _PAGE
        )
        ids = [str(one["id"]) for one in posts]
        top = max([*ids, place.pop("top", None) or "0"], key=int)
        if more is not None:
            place |= {"token": more, "top": top}
        elif top != "0":
            place["newest"] = max(top, place.get("newest") or "0", key=int)
        comments, own = self._records(posts, place)
        return SourceBatch(
            comments=comments,
            posts=own,
            followers=followers,
            cursor=place,
            more=more is not None,
            history=history,
        )

    def _since(self, place: Mapping[str, Any]) -> dict[str, Any]:
        """Where the search begins. X refuses one that reaches back seven days or more."""
        now = self._context.skew.platform_time(self._clock.now())
        newest = place.get("newest")
        if newest is None or time_of(newest) < now - _SEARCHED:
            # The same for all pages of a search, which may last for minutes.
            start = (now - _SEARCHED).replace(minute=0, second=0, microsecond=0)
            start += timedelta(hours=1)
            return {"start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
        if now - time_of(newest) < _SETTLED:
            # X may find a post some seconds later than one that is newer.
            newest = str(int(newest) - (int(_OVERLAP.total_seconds() * 1000) << 22))
        return {"since_id": newest}

    async def _page(
        self, params: Mapping[str, Any], most: int
    ) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """A page of the search; a smaller one where the cap leaves no more."""
        left = await self._context.quota.remaining()
        if left is not None:
            most = max(_LEAST, min(most, left + self._allowance.unused))
        asked = {"query": self._query, "tweet.fields": FIELDS, "max_results": most, **params}
        answer = await self._paid("/2/tweets/search/recent", asked, most)
        meta = answer.get("meta") or {}
        token = meta.get("next_token") if isinstance(meta, dict) else None
        return _posts(answer), token if isinstance(token, str) else None

    async def _paid(self, path: str, params: Mapping[str, Any], most: int) -> Mapping[str, Any]:
        """Ask for what brings so many posts at most; they are spent before."""
        await self._allowance.take(most)
        # Whatever goes wrong with the answer, X may have billed all of it.
        answer = (await self._client.get(path, params, cost=0)).object()
        self._allowance.give_back(most - len(_posts(answer)))
        return answer

    async def _account(self) -> tuple[str, SourceFollowers]:
        """The account's id and followers."""
        await self._allowance.take(_USER_PRICE)
        path = f"/2/users/by/username/{self._spec.account}"
        answer = (await self._client.get(path, {"user.fields": "public_metrics"}, cost=0)).object()
        user = answer.get("data")
        if not isinstance(user, dict) or not isinstance(user.get("id"), str):
            raise AccountGone(f"X has no account @{self._spec.account}")
        counts = user.get("public_metrics")
        followers = counts.get("followers_count") if isinstance(counts, dict) else None
        if not isinstance(followers, int):
            raise BadAnswer("X did not say how many followers the account has")
        return user["id"], SourceFollowers(followers, self._clock.now())

    def _records(
        self, found: Sequence[Mapping[str, Any]], place: dict[str, Any]
    ) -> tuple[list[SourceComment], list[SourcePost]]:
        now = self._clock.now()
        comments: list[SourceComment] = []
        posts: list[SourcePost] = []
        for one in found:
            read = read_post(one, place["user"], self._spec.account, now)
            if isinstance(read, SourceComment):
                comments.append(read)
            elif read is not None:
                posts.append(read)
        if self._spec.recheck_hours:
            ids = {str(one["id"]) for one in found}
            place["recent"] = sorted({*place.get("recent", ()), *ids}, key=int)[-_RECHECKED:]
        return comments, posts

    def _recheck_due(self, place: dict[str, Any]) -> bool:
        if not self._spec.recheck_hours or not place.get("recent") or "token" in place:
            return False
        now = self._clock.now().timestamp()
        return bool(now - place.setdefault("rechecked", now) >= self._spec.recheck_hours * 3600)

    async def _recheck(self, place: dict[str, Any]) -> SourceBatch:
        """The latest posts again: likes, new versions, and which of them are gone."""
        ids = place["recent"]
        params = {"ids": ",".join(ids), "tweet.fields": FIELDS}
        answer = await self._paid("/2/tweets", params, len(ids))
        now = self._clock.now()
        place["rechecked"] = now.timestamp()
        errors = answer.get("errors") or ()
        gone = {
            str(one.get("resource_id") or one.get("value"))
            for one in errors
            if isinstance(one, dict) and str(one.get("type", "")).endswith("/resource-not-found")
        } & set(ids)
        place["recent"] = [one for one in ids if one not in gone]
        comments, posts = self._records(_posts(answer), place)
        return SourceBatch(
            comments=comments,
            posts=posts,
            removals=[SourceRemoval(one, now) for one in sorted(gone)],
            cursor=place,
            more=True,
        )

    async def preview(self) -> SourcePreview:
        """The account and ten posts; they are billed."""
        spec = self._spec
        user, followers = await self._account()
        found, _ = await self._page({}, _LEAST)
        read = [read_post(one, user, spec.account, self._clock.now()) for one in found]
        most = spec.most_posts
        return SourcePreview(
            account=f"@{spec.account} (X, {followers.followers:,} followers)",
            sees=(
                "replies to the account, mentions and quotes that name it, within a minute",
                "its own posts and replies, with likes, replies, shares and views of that moment",
                "up to seven days before now, and after a break",
            ),
            cannot_see=(
                "reposts, and what accounts that are protected write",
                "what is written once the cap is reached, until the new month",
                "removals, edits and likes after a post was read"
                if not spec.recheck_hours
                else f"removals, edits and likes of all but the latest {_RECHECKED} posts",
            ),
            costs=(
                f"at most {most:,} posts a month, {most * spec.price_per_post:,.2f} at"
                f" {spec.price_per_post:g} a post; nothing is read beyond that",
                "searches that find nothing are free; a kill sets up to 100 posts of the cap aside",
                "this preview: up to ten posts and one account",
            ),
            comments=tuple(one for one in read if isinstance(one, SourceComment))[:10],
        )


def _read_fault(answer: PlatformAnswer) -> SourceFault | None:
    """The fault that only X explains."""
    reset = answer.headers.get("x-rate-limit-reset", "")
    if answer.status == 429 and reset.isdigit() and "Retry-After" not in answer.headers:
        pause = max(int(reset[:12]) - answer.at.timestamp(), 1.0)
        return PlatformBusy("X asks for a pause (429)", retry_after=min(pause, 3600.0))
    if answer.status == 402:
        return QuotaSpent(
            "X has no credits left to take from (402)",
            remedy="buy credits in X's Developer Console",
            retry_after=3600.0,
        )
    return None


def _posts(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found = answer.get("data") or []
    if not isinstance(found, list) or not all(
        isinstance(one, dict) and str(one.get("id", "")).isdigit() for one in found
    ):
        raise BadAnswer("X answered something that is no list of posts")
    return found


def time_of(post_id: str) -> datetime:
    """When a post was written, by its id."""
    return datetime.fromtimestamp(((int(post_id) >> 22) + 1_288_834_974_657) / 1000, UTC)


def _budget(spec: XSpec) -> QuotaBudget:
    return QuotaBudget(spec.most_posts, QuotaPeriod(PeriodLength.MONTH), "posts")


register(
    SourceType(
        name="x",
        title="X",
        about="Replies to, mentions of and posts by an account on X, up to a cap of spending.",
        platform="x",
        source=XSource,
        spec=XSpec,
        build=XSource,
        example={"account": "@lenapark", "bearer_token": "AAAAexample-bearer-token"},
        budget=_budget,
    )
)
