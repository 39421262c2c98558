"""TikTok: comments and videos of an account, by calls of the API for Business and by asking."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from serving.sources.faults import BadAnswer
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import QuotaPeriod
from serving.sources.registry import SourceType, register
from serving.sources.source import (
    Poller,
    SourceCursor,
    SourcePreview,
    SubscriptionCheck,
    WebhookAnswer,
    WebhookReceiver,
    WebhookRequest,
)
from serving.sources.source_batch import (
    SourceBatch,
    SourceComment,
    SourceFollowers,
    SourceRemoval,
)
from serving.sources.source_context import SourceContext
from serving.sources.source_pace import SourcePace
from serving.sources.tiktok.business_api import MissingVideo, TikTokBusinessApi, rows_of
from serving.sources.tiktok.progress import VIDEOS, TikTokProgress, TikTokScan, TikTokStep
from serving.sources.tiktok.records import VIDEO_FIELDS, TikTokThread, comments_of_row, post_of_row
from serving.sources.tiktok.settings import TikTokSpec
from serving.sources.tiktok.webhook_events import read_event

_PAGE = 30  # comments in an answer; the most there is
_VIDEO_PAGE = 20
_ORDERED = 500  # TikTok keeps the order by time for so many comments of a video
_STALE_PAGES = 10  # without a new comment, after those
_OVERLAP = timedelta(minutes=5).total_seconds()
_ACCOUNT_EVERY, _VIDEOS_EVERY = timedelta(hours=1), timedelta(minutes=5)
_OLD = timedelta(days=60)
_WANTED = 3_000  # comments that calls named and that did not come yet
_NEWEST_FIRST = {"status": "ALL", "sort_field": "create_time", "sort_order": "desc"}
_SEES = (
    "comments and replies under all videos of the account, also those that the account has hidden",
    "likes of comments, while their video is asked",
    "videos with caption, link, time and their counts over time, and the number of followers",
)
_CANNOT_SEE = (
    "comments under other accounts' videos, and live comments",
    "comments that TikTok's moderation holds back",
    "the history of videos older than the 200 newest",
)


class TikTokSource(Poller, WebhookReceiver):
    """Reads an account: calls say what happened, and each poll asks for one page."""

    def __init__(self, spec: TikTokSpec, context: SourceContext) -> None:
        """Prepare; nothing is asked yet."""
        self._spec = spec
        self._secret = spec.app_secret.get_secret_value()
        self._clock = context.clock
        self._webhook_url = context.webhook_url if spec.webhook else None
        self._pace = SourcePace(context.quota, context.clock)
        self._api = TikTokBusinessApi(spec, context)
        # What calls named, by video. A restart loses it; then a greater count of the video, or
        # its next turn, brings the comments.
        self._wanted: dict[str, list[str]] = {}
        self._sent: tuple[int, str, list[str]] | None = None

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """Do the most urgent step."""
        now = self._clock.now()
        progress = TikTokProgress.of(cursor, self._spec.business_id, now)
        self._drop_committed(progress)
        spare = await self._pace.has_spare()
        step = progress.next_step(now, spare=spare, wanted=bool(self._wanted))
        batch = await self._do(step, progress, now) if step else SourceBatch()
        wanted = len(self._wanted) > (1 if step is TikTokStep.WANTED else 0)
        return SourceBatch(
            comments=batch.comments,
            posts=batch.posts,
            followers=batch.followers,
            cursor=progress.model_dump(mode="json", exclude_defaults=True),
            more=progress.next_step(now, spare=spare, wanted=wanted) is not None,
            history=batch.history,
        )

    def receive(self, request: WebhookRequest) -> WebhookAnswer:
        """An event: a comment that was deleted, or one that the poller is to ask for."""
        event = read_event(request, self._secret, self._clock.now())
        mine = event.account == self._spec.business_id
        if event.name != "comment.update" or not mine:
            # Events of an app come together: also those of other accounts.
            return WebhookAnswer(delivery_key=event.key)
        comment, video = event.content.get("comment_id"), event.content.get("video_id")
        if not comment or not video:
            raise BadAnswer("TikTok called about a comment without its id and its video's")
        if event.content.get("comment_action") == "delete":
            removal = SourceRemoval(str(comment), event.at)
            return WebhookAnswer(SourceBatch(removals=[removal]), delivery_key=event.key)
        waiting = self._wanted.setdefault(str(video), [])
        if str(comment) not in waiting and sum(map(len, self._wanted.values())) < _WANTED:
            waiting.append(str(comment))
        return WebhookAnswer(delivery_key=event.key, poll_now=True)

    async def check_subscription(self) -> SubscriptionCheck:
        """Ask where TikTok calls, and subscribe if it calls nobody."""
        if self._webhook_url is None:
            return SubscriptionCheck()
        found = await self._api.callback_url()
        if found is None:
            await self._api.subscribe(self._webhook_url)
        elif found != self._webhook_url:
            raise self._api.other_address(httpx.URL(found).host)
        return SubscriptionCheck()

    async def preview(self) -> SourcePreview:
        """Ask for the account, its newest videos and their comments."""
        account = await self._account()
        data = await self._api.get(
            "/business/video/list/", {"fields": VIDEO_FIELDS, "max_count": _VIDEO_PAGE}
        )
        comments: list[SourceComment] = []
        for row in rows_of(data, "videos")[:3]:
            if len(comments) < 10 and row.get("comments") != 0:
                found = await self._comments(str(row.get("item_id")), 0, count=10)
                comments += [one for item in found[0] for one in item.comments]
        pushed = "new comments within minutes of TikTok's call, and removed ones"
        asked = "removed comments, because TikTok does not call this source"
        return SourcePreview(
            account=f"@{account.get('username')} ({account.get('display_name')} on TikTok)",
            sees=(*_SEES, pushed) if self._webhook_url else _SEES,
            cannot_see=_CANNOT_SEE if self._webhook_url else (*_CANNOT_SEE, asked),
            costs=(
                f"about 1,750 requests a day and 4 to 300 more for each video, of"
                f" {self._spec.requests_a_day:,}",
                "history once: a request for each 30 comments, within 70% of a day's requests",
                "no charge",
            ),
            comments=tuple(comments[:10]),
        )

    async def _do(self, step: TikTokStep, progress: TikTokProgress, now: datetime) -> SourceBatch:
        match step:
            case TikTokStep.ACCOUNT:
                account = await self._account()
                progress.account_due = (now + _ACCOUNT_EVERY).timestamp()
                count = account.get("followers_count")
                found = [SourceFollowers(count, now)] if isinstance(count, int) else []
                return SourceBatch(followers=found)
            case TikTokStep.VIDEOS:
                return await self._read_videos(progress, now)
            case TikTokStep.WANTED:
                return await self._read_wanted(progress)
            case TikTokStep.REPLIES:
                return await self._read_replies(progress)
            case TikTokStep.VIDEO:
                return await self._read_new(progress, now)
            case TikTokStep.HISTORY:
                return await self._read_history(progress, now)

    async def _account(self) -> Mapping[str, Any]:
        fields = ["username", "display_name", "followers_count"]
        return await self._api.get("/business/get/", {"fields": fields})

    async def _read_videos(self, progress: TikTokProgress, now: datetime) -> SourceBatch:
        """The newest videos; at first, page by page, the 200 newest."""
        data = await self._api.get(
            "/business/video/list/",
            {
                "fields": VIDEO_FIELDS,
                "max_count": _VIDEO_PAGE,
                "cursor": progress.videos_cursor,
            },
        )
        posts = [post_of_row(row, now) for row in rows_of(data, "videos")]
        schedule = progress.schedule()
        for post in posts:
            video, written = post.post_id, post.created_at or now
            count = (post.counts.comments if post.counts else None) or 0
            before = progress.totals.get(video)
            progress.totals[video] = count
            is_new = before is None and (not progress.videos_read or now - written < _OLD)
            if is_new and schedule.add(video, written, now):
                progress.unread.append(video)
            elif before is not None and count > before:
                if schedule.add(video, written, now):
                    progress.known.setdefault(video, progress.started)
                schedule.ask_now(video, now)
        for video in list(progress.totals)[: max(0, len(progress.totals) - VIDEOS)]:
            del progress.totals[video]
        progress.posts = schedule.as_json()
        cursor = data.get("cursor")
        more = bool(data.get("has_more")) and isinstance(cursor, int) and bool(posts)
        more = more and not progress.videos_read and len(schedule) < VIDEOS
        progress.videos_cursor = cursor if more else None
        progress.videos_read = progress.videos_read or not more
        progress.videos_due = (now + _VIDEOS_EVERY).timestamp()
        return SourceBatch(posts=posts)

    async def _read_wanted(self, progress: TikTokProgress) -> SourceBatch:
        """The comments that calls named. They are asked for again until they are committed."""
        video, waiting = next(iter(self._wanted.items()))
        ids = waiting[:_PAGE]
        try:
            data = await self._api.get(
                "/business/comment/list/",
                {"video_id": video, "comment_ids": ids, "status": "ALL", "max_count": _PAGE},
            )
        except MissingVideo:  # it was deleted meanwhile
            data = {}
        progress.asked += 1
        self._sent = (progress.asked, video, ids)
        rows = rows_of(data, "comments")
        return SourceBatch(comments=[one for row in rows for one in comments_of_row(row, video)])

    def _drop_committed(self, progress: TikTokProgress) -> None:
        sent, self._sent = self._sent, None
        if sent is None or sent[0] != progress.asked:
            return
        left = [one for one in self._wanted.get(sent[1], []) if one not in sent[2]]
        if left:
            self._wanted[sent[1]] = left
        else:
            self._wanted.pop(sent[1], None)

    async def _read_new(self, progress: TikTokProgress, now: datetime) -> SourceBatch:
        """A page of a video's newest comments, until those that came before."""
        video = progress.scan.video if progress.scan else progress.due_video(now)
        assert video is not None
        scan = progress.scan or TikTokScan(video=video)
        until = progress.known.get(video, 0)
        try:
            items, cursor = await self._comments(video, scan.cursor)
        except MissingVideo:
            progress.scan = None
            await self._drop_if_gone(progress, video)
            return SourceBatch()
        comments = self._take(items, progress)
        times = [item.written for item in items]
        lately = (now - timedelta(hours=1)).timestamp()
        scan.seen += len(items)
        scan.newest = max([scan.newest, *times])
        scan.stirs += sum(time > until and time > lately for time in times)
        in_order = scan.seen <= _ORDERED
        scan.stale = 0 if any(time > until for time in times) else scan.stale + 1
        reached = bool(times) and min(times) <= until - _OVERLAP
        if cursor is None or (reached and in_order) or scan.stale >= _STALE_PAGES:
            progress.scan = None
            progress.known[video] = max(until, scan.newest)
            schedule = progress.schedule()
            schedule.asked(video, now, scan.stirs)
            progress.posts = schedule.as_json()
        else:
            progress.scan = scan.model_copy(update={"cursor": cursor})
        return SourceBatch(comments=comments)

    async def _read_history(self, progress: TikTokProgress, now: datetime) -> SourceBatch:
        """A page of all comments of a video that did not come yet."""
        video = progress.unread[0]
        scan = progress.history or TikTokScan(video=video)
        if scan.video != video:
            scan = TikTokScan(video=video)
        try:
            items, cursor = await self._comments(video, scan.cursor)
        except MissingVideo:
            progress.history = None
            await self._drop_if_gone(progress, video)
            return SourceBatch()
        comments = self._take(items, progress)
        batch, whole = progress.by_age(comments, fresh_sent=scan.fresh_sent)
        if not whole:
            progress.history = scan.model_copy(update={"fresh_sent": True})
            return batch
        if scan.cursor == 0:  # from now on it is asked for new comments too
            times = [item.written for item in items]
            progress.known[video] = max(times, default=progress.started)
            schedule = progress.schedule()
            schedule.asked(video, now, 0)
            progress.posts = schedule.as_json()
        if cursor is None:
            progress.history = None
            progress.unread = progress.unread[1:]
        else:
            progress.history = TikTokScan(video=video, cursor=cursor)
        return batch

    async def _read_replies(self, progress: TikTokProgress) -> SourceBatch:
        """A page of the replies that a comment does not show."""
        scan = progress.waiting.pop(0)
        try:
            items, cursor = await self._comments(scan.video, scan.cursor, parent=scan.comment)
        except MissingVideo:  # the comment was deleted meanwhile
            return SourceBatch()
        comments = [one for item in items for one in item.comments]
        batch, whole = progress.by_age(comments, fresh_sent=scan.fresh_sent)
        if not whole:
            progress.waiting.insert(0, scan.model_copy(update={"fresh_sent": True}))
        elif cursor is not None:
            progress.waiting.insert(
                0, TikTokScan(video=scan.video, comment=scan.comment, cursor=cursor)
            )
        return batch

    async def _comments(
        self, video: str, cursor: int, *, count: int = _PAGE, parent: str | None = None
    ) -> tuple[list[TikTokThread], int | None]:
        """A page of comments, each with the replies that it shows, and where the next begins."""
        asked = {**_NEWEST_FIRST, "video_id": video, "cursor": cursor, "max_count": count}
        if parent is None:
            path, asked["include_replies"] = "/business/comment/list/", True
        else:
            path, asked["comment_id"] = "/business/comment/reply/list/", parent
        data = await self._api.get(path, asked)
        items = [TikTokThread.of(row, video) for row in rows_of(data, "comments")]
        following = data.get("cursor")
        more = bool(data.get("has_more")) and isinstance(following, int) and following > cursor
        return items, following if more else None

    def _take(self, items: list[TikTokThread], progress: TikTokProgress) -> list[SourceComment]:
        """The comments of a page; replies that they do not show are to be asked for."""
        for item in items:
            comment = item.comments[0]
            is_new = progress.note_replies(comment.comment_id, item.replies)
            if is_new and item.replies > len(item.comments) - 1:
                progress.waiting.append(
                    TikTokScan(video=str(comment.post_id), comment=comment.comment_id)
                )
        return [one for item in items for one in item.comments]

    async def _drop_if_gone(self, progress: TikTokProgress, video: str) -> None:
        """Drop a video that TikTok does not list; its code alone may mean something else."""
        data = await self._api.get(
            "/business/video/list/", {"fields": ["item_id"], "filters": {"video_ids": [video]}}
        )
        if any(str(row.get("item_id")) == video for row in rows_of(data, "videos")):
            raise BadAnswer(f"TikTok lists the video {video}, but not its comments")
        progress.drop(video)


register(
    SourceType(
        name="tiktok",
        title="TikTok",
        about="Comments of a TikTok account, by calls and by asking, with its videos' counts.",
        platform="tiktok",
        source=TikTokSource,
        spec=TikTokSpec,
        build=TikTokSource,
        example={
            "business_id": "_000-example",
            "app_id": "7000000000000000000",
            "app_secret": "example-app-secret",
            "refresh_token": "rft.example-refresh-token",
            "access_token": "act.example-access-token",
        },
        budget=lambda spec: QuotaBudget(spec.requests_a_day, QuotaPeriod(), "requests"),
    )
)
