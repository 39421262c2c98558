"""A source of one of Meta's platforms: one app and one webhook for the accounts of many KOLs."""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import structlog

from serving.sources.faults import BadAnswer, FaultKind, SourceFault, SubscriptionLost
from serving.sources.graph_api.account_finder import OF_ONE_ACCOUNT, AccountFinder, named_fault
from serving.sources.graph_api.account_reader import AccountReader
from serving.sources.graph_api.account_state import AccountState, states_of
from serving.sources.graph_api.graph_faults import MissingObject
from serving.sources.graph_api.graph_preview import PreviewWording, preview_of
from serving.sources.graph_api.graph_records import CommentLookup, GraphAccount, GraphApi
from serving.sources.graph_api.token_keeper import TokenKeeper, split_secrets
from serving.sources.graph_api.webhook_calls import (
    GraphNotice,
    check_age,
    delivery_key,
    handshake,
    signed_body,
)
from serving.sources.source import (
    Poller,
    SourceCursor,
    SourcePreview,
    SubscriptionCheck,
    WebhookAnswer,
    WebhookReceiver,
    WebhookRequest,
)
from serving.sources.source_batch import SourceBatch, SourceComment, SourcePost, SourceRemoval
from serving.sources.source_context import SourceContext

_logger = structlog.get_logger(__name__)
_LIST = timedelta(seconds=60)
_ASIDE = timedelta(seconds=60)
_LOOKUPS = 1000  # that wait
_LOOKED_UP = 10  # in one batch
_KNOWN = 1000  # comments of each post that are known, of all accounts together
_MOST_KNOWN = 100
_CHECKED = 5  # subscriptions that are checked a minute


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """The settings that the three platforms have in common.

    Attributes:
        tokens: one or more.
        app_secret: one or more.
        verify_token: of the handshake.
        history: how old posts may be whose comments are read.
        daily_requests: the budget.
    """

    tokens: str
    app_secret: str
    verify_token: str
    history: timedelta
    daily_requests: int


class GraphSource(Poller, WebhookReceiver):
    """Webhooks bring comments at once; the Graph API brings what they missed, posts and counts.

    A fault of one account does not stop the others: the account is set aside, and
    `check_subscription` reports it. If no account can be read, `poll` does.

    Attributes:
        platform: of the comments.
        title: of the platform.
        flat: whether the platform lists replies like other comments, by their time.
        wording: what a preview says.
    """

    least_interval = timedelta(seconds=30)
    most_interval = timedelta(minutes=2)
    platform: ClassVar[str]
    title: ClassVar[str]
    flat: ClassVar[bool]
    wording: ClassVar[PreviewWording]

    def __init__(self, api: GraphApi, settings: GraphSettings, context: SourceContext) -> None:
        self._api = api
        self._settings = settings
        self._context = context
        self._clock = context.clock
        self._app_secrets = split_secrets(settings.app_secret)
        self._tokens = TokenKeeper(api, context, "tokens", settings.tokens, self.platform)
        self._finder = AccountFinder(api, self._tokens, context, self.platform, self.title)
        self._finding = asyncio.Lock()
        self._aside: dict[str, tuple[SourceFault, datetime]] = {}
        self._lookups: deque[CommentLookup] = deque()
        self._hurry: set[str] = set()
        self._last: str | None = None
        self._strangers: set[str] = set()
        self._checked: dict[str, datetime] = {}
        self._lost: dict[str, SourceFault] = {}

    # What a platform says by itself.

    @abstractmethod
    def notices(self, body: Any) -> Sequence[GraphNotice]:
        """The changes of a call whose signature was checked.

        Raises:
            BadAnswer: it is not the platform's.
        """

    @abstractmethod
    def read_notice(
        self, notice: GraphNotice, now: datetime
    ) -> Sequence[SourceComment | SourceRemoval | SourcePost | CommentLookup]:
        """What a change brings, without its KOL, and which comments are to be asked for.

        Raises:
            BadAnswer: it is not what the documentation says.
        """

    def note_posts(self, post_ids: Sequence[str]) -> None:
        """Learn the ids of posts as the list of posts has them."""

    # Polling.

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """One page of what is due, of the account whose turn it is."""
        now = self._clock.now()
        states = states_of(cursor)
        if self._finder.is_due(now):
            async with self._finding:
                await self._finder.find(states, now)
        for account_id, account in self._finder.accounts.items():
            kol_id = self._finder.kols[account_id]
            states.setdefault(account_id, AccountState(kol_id, account.handle)).kol_id = kol_id
        for state in states.values():
            self.note_posts(list(state.posts))
        self._check_aside(now)
        batch = await (self._looked_up(now) if self._lookups else self._step(states, now))
        if batch is not None:
            self.note_posts([post.post_id for post in batch.posts])
        more = bool(self._lookups) or any(
            self._reader(one, states).has_work(now, hurry=one.account_id in self._hurry)
            for one in self._readable(now)
        )
        if batch is None:
            self._check_aside(now)
            return SourceBatch(more=more)
        # Posts and followers between two pages of the past do not break it into pieces.
        past = any(one.past is not None or one.history for one in states.values())
        history = batch.history or (past and not batch.comments and not batch.removals)
        return replace(batch, cursor=self._written(states), more=more, history=history)

    async def _step(self, states: Mapping[str, AccountState], now: datetime) -> SourceBatch | None:
        """What one account brings; None if it failed, and its state must not be kept."""
        for account in self._readable(now):
            account_id = account.account_id
            hurry = account_id in self._hurry
            reader = self._reader(account, states)
            if not reader.has_work(now, hurry=hurry):
                continue
            self._last = account_id
            try:
                batch = await reader.step(now, hurry=hurry)
            except SourceFault as fault:
                self._set_aside(account, fault, now)
                return None
            if hurry and states[account_id].listing is None:
                self._hurry.discard(account_id)
            self._aside.pop(account_id, None)
            return batch or SourceBatch()
        return SourceBatch()

    def _reader(self, account: GraphAccount, states: Mapping[str, AccountState]) -> AccountReader:
        budget = self._settings.daily_requests
        paced = timedelta(days=2) * len(self._finder.accounts) / budget  # half of it, for lists
        return AccountReader(
            self._api,
            account,
            states[account.account_id],
            list_interval=max(_LIST, paced),
            history=self._settings.history,
            flat=self.flat,
        )

    def _readable(self, now: datetime) -> list[GraphAccount]:
        """The accounts that may be asked, beginning after the one that was asked last."""
        ids = list(self._finder.accounts)
        start = ids.index(self._last) + 1 if self._last in ids else 0
        return [
            self._finder.accounts[one]
            for one in ids[start:] + ids[:start]
            if one not in self._aside or self._aside[one][1] <= now
        ]

    def _set_aside(self, account: GraphAccount, fault: SourceFault, now: datetime) -> None:
        """Leave an account for a moment.

        Raises:
            SourceFault: the fault is not of this account only.
        """
        kinds = OF_ONE_ACCOUNT | {FaultKind.RATE_LIMITED}
        if fault.kind not in kinds or len(self._finder.accounts) == 1:
            raise fault
        pause = max(_ASIDE, timedelta(seconds=fault.retry_after or 0.0))
        named = named_fault(fault, f"@{account.handle}")
        self._aside[account.account_id] = (named, now + pause)
        _logger.warning("source_account_fails", platform=self.platform, error=str(named))

    def _check_aside(self, now: datetime) -> None:
        """Raise if no account may be asked: a batch would say that the source sees."""
        if self._finder.accounts and not self._readable(now):
            fault, until = min(self._aside.values(), key=lambda one: one[1])
            raise type(fault)(
                str(fault), remedy=fault.remedy, retry_after=(until - now).total_seconds()
            )

    def _written(self, states: Mapping[str, AccountState]) -> dict[str, Any]:
        known = min(_MOST_KNOWN, _KNOWN // max(len(states), 1))
        return {"accounts": {name: one.as_json(known) for name, one in states.items()}}

    async def _looked_up(self, now: datetime) -> SourceBatch:
        """Ask for comments that webhooks named."""
        comments: list[SourceComment] = []
        removals: list[SourceRemoval] = []
        for _ in range(_LOOKED_UP):
            if not self._lookups:
                break
            lookup = self._lookups[0]
            account = self._finder.accounts.get(lookup.account_id)
            kol_id = self._finder.kols.get(lookup.account_id)
            if account is not None:
                try:
                    found = await self._api.look_up(account, lookup)
                    comments.append(replace(found, kol_id=kol_id))
                except MissingObject:
                    if lookup.comment_id is not None:
                        removals.append(SourceRemoval(lookup.comment_id, now, kol_id))
                except SourceFault as fault:
                    if comments or removals:  # these first; the fault comes again
                        break
                    self._set_aside(account, fault, now)
                    self._lookups.rotate(-1)
                    break
            self._lookups.popleft()
        return SourceBatch(comments=comments, removals=removals)

    # Webhook.

    def receive(self, request: WebhookRequest) -> WebhookAnswer:
        """A handshake, or changes of any of the accounts."""
        if request.method == "GET":
            return handshake(request, self._settings.verify_token)
        body = signed_body(request, self._app_secrets)
        now = self._clock.now()
        notices = self.notices(body)
        check_age(notices, now)
        if self._finder.found_at is None:  # since the start nobody knows whose accounts these are
            return WebhookAnswer(status=503, poll_now=True)
        comments: list[SourceComment] = []
        removals: list[SourceRemoval] = []
        posts: list[SourcePost] = []
        poll_now = False
        for notice in notices:
            kol_id = self._finder.kols.get(notice.account_id)
            if kol_id is None:
                self._note_stranger(notice)
                continue
            try:
                found = self.read_notice(notice, now)
            except BadAnswer as fault:  # the others of the call are taken; polling finds this one
                _logger.warning("source_notice_not_read", platform=self.platform, error=str(fault))
                self._hurry.add(notice.account_id)
                poll_now = True
                continue
            for one in found:
                if isinstance(one, SourceComment):
                    comments.append(replace(one, kol_id=kol_id))
                elif isinstance(one, SourceRemoval):
                    removals.append(replace(one, kol_id=kol_id))
                elif isinstance(one, SourcePost):
                    posts.append(replace(one, kol_id=kol_id))
                    self._hurry.add(notice.account_id)
                    poll_now = True
                else:
                    self._queue(one)
                    poll_now = True
        batch = SourceBatch(comments=comments, removals=removals, posts=posts)
        return WebhookAnswer(batch, delivery_key(request), poll_now=poll_now)

    def _queue(self, lookup: CommentLookup) -> None:
        if lookup in self._lookups:
            return
        if len(self._lookups) >= _LOOKUPS:
            dropped = self._lookups.popleft()
            _logger.warning("source_lookup_dropped", comment=dropped.comment_id)
        self._lookups.append(lookup)

    def _note_stranger(self, notice: GraphNotice) -> None:
        """The app's webhook also calls for accounts that this source has no token of."""
        if notice.account_id not in self._strangers and len(self._strangers) < 1000:
            self._strangers.add(notice.account_id)
            _logger.warning(
                "source_account_unknown", platform=self.platform, account=notice.account_id
            )

    async def check_subscription(self) -> SubscriptionCheck:
        """Ask for some accounts whether Meta calls, and subscribe those again that it does not.

        Raises:
            SourceFault: of the first account or token that fails.
        """
        now = self._clock.now()
        if self._finder.found_at is not None and self._context.webhook_url is not None:
            longest = sorted(
                self._readable(now), key=lambda one: str(self._checked.get(one.account_id, ""))
            )
            for account in longest[:_CHECKED]:
                await self._check(account, now)
        troubles = [
            *(fault for fault, _ in self._aside.values()),
            *self._finder.faults,
            *(fault for one, fault in self._lost.items() if one in self._finder.accounts),
        ]
        if troubles:
            raise troubles[0]
        return SubscriptionCheck()

    async def _check(self, account: GraphAccount, now: datetime) -> None:
        account_id = account.account_id
        self._checked[account_id] = now
        try:
            if await self._api.is_subscribed(account) is False:
                _logger.warning("source_subscribed_again", account=account.handle)
                await self._api.subscribe(account)
            self._lost.pop(account_id, None)
        except SourceFault as fault:
            if fault.kind not in OF_ONE_ACCOUNT | {FaultKind.BAD_ANSWER}:
                raise
            self._lost[account_id] = SubscriptionLost(
                f"@{account.handle}: Meta does not call for this account: {fault}"
            )

    # Setting up.

    async def preview(self) -> SourcePreview:
        """The accounts, and the newest comments of them."""
        now = self._clock.now()
        finder = AccountFinder(self._api, self._tokens, self._context, self.platform, self.title)
        await finder.find({}, now, renew=False)
        budget = self._settings.daily_requests
        return await preview_of(
            self._api, finder, self.wording, self.title, budget, self._tokens.tokens
        )
