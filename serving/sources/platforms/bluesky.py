"""Bluesky: Jetstream for what happens, the public API for history, counts and what was missed."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from serving.sources.bluesky.app_view import AppView, read_fault
from serving.sources.bluesky.catch_up import BlueskyCatchUp
from serving.sources.bluesky.feed_post import comment_from
from serving.sources.bluesky.jetstream import Jetstream
from serving.sources.bluesky.roster import BlueskyRoster
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import PeriodLength, QuotaPeriod
from serving.sources.registry import SourceType, register
from serving.sources.source import Poller, SourceCursor, SourcePreview, StreamReader
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED, SourceSpec

_SHOWN = 10
_LOOKED_AT = 5  # posts of the preview


def _stream_address(address: str) -> str:
    if not address.startswith(("wss://", "ws://")):
        raise ValueError("write the address of a stream like wss://jetstream1.us-east.bsky.network")
    return address.rstrip("/")


class BlueskySpec(SourceSpec):
    """The KOLs' handles are in their profiles; no account is needed to read."""

    mentions: bool = Field(
        True,
        title="Mentions and quotes",
        description="Whether posts that mention or quote a KOL are brought too, not replies alone.",
    )
    history_days: int = Field(
        90,
        ge=0,
        le=3650,
        title="Days of history",
        description="How far back posts and their replies are read when an account is connected.",
    )
    requests_an_hour: int = Field(
        3000,
        ge=60,
        le=36_000,
        title="Requests an hour",
        description="The most requests to the public API in an hour; Bluesky allows 36,000.",
        json_schema_extra=ADVANCED,
    )
    jetstream_hosts: tuple[Annotated[str, AfterValidator(_stream_address)], ...] = Field(
        (
            "wss://jetstream1.us-east.bsky.network",
            "wss://jetstream2.us-east.bsky.network",
            "wss://jetstream1.us-west.bsky.network",
            "wss://jetstream2.us-west.bsky.network",
        ),
        min_length=1,
        max_length=20,
        title="Jetstream servers",
        description="Servers of the stream; after a broken connection the next one is asked.",
        json_schema_extra=ADVANCED,
    )
    api_url: str = Field(
        "https://public.api.bsky.app",
        title="Address of the API",
        description="Where Bluesky's public API answers.",
        json_schema_extra=ADVANCED,
    )


class BlueskySource(Poller, StreamReader):
    """Reads the stream for all KOLs at once, and asks for what it does not bring."""

    least_interval = timedelta(seconds=15)
    most_interval = timedelta(minutes=2)
    silence = timedelta(seconds=45)

    def __init__(self, spec: BlueskySpec, context: SourceContext) -> None:
        self._app_view = AppView(context.client(spec.api_url, read_fault=read_fault))
        self._roster = BlueskyRoster(context, self._app_view)
        self._jetstream = Jetstream(context, self._roster, spec.jetstream_hosts, spec.mentions)
        self._catch_up = BlueskyCatchUp(
            context,
            self._app_view,
            self._roster,
            history=timedelta(days=spec.history_days),
            mentions=spec.mentions,
        )
        self._spec = spec

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """A profile, a page of a feed, or a thread."""
        return await self._catch_up.poll(cursor)

    def read(self, cursor: SourceCursor | None) -> AsyncGenerator[SourceBatch, None]:
        """What happens on the network and concerns a KOL."""
        return self._jetstream.read(cursor)

    async def preview(self) -> SourcePreview:
        """The accounts and the newest comments of the first."""
        await self._roster.refresh()
        if self._roster.faults:
            raise next(iter(self._roster.faults.values()))
        dids = list(self._roster.dids)
        names = ", ".join(f"@{self._roster.entered(did)}" for did in dids[:_SHOWN])
        more = f" and {len(dids) - _SHOWN} more" if len(dids) > _SHOWN else ""
        sees = [
            "Replies under the KOLs' posts within seconds, and the KOLs' own posts and replies."
        ]
        if self._spec.mentions:
            sees.append("Posts of anybody that mention or quote a KOL.")
        sees += [
            "Deletions, likes, counts of posts, and followers.",
            f"Posts and replies of the last {self._spec.history_days} days, once.",
        ]
        return SourcePreview(
            account=f"{names}{more} (Bluesky)",
            sees=tuple(sees),
            cannot_see=(
                "Direct messages, and posts that name a KOL without mentioning the account.",
                "Mentions from a time when the stream was not read for longer than it is kept.",
                "Replies that Bluesky's moderation hides, except those that the stream brought.",
                "Views: Bluesky does not count them.",
            ),
            costs=(
                f"At most {self._spec.requests_an_hour:,} requests an hour; no charge, no account.",
                "One stream for all KOLs: some gigabytes of traffic a day.",
            ),
            comments=tuple(await self._newest(dids[0])),
        )

    async def _newest(self, did: str) -> list[SourceComment]:
        kol_id = self._roster.dids[did]
        feed = await self._app_view.feed(did, None)
        answered = [item.post for item in feed.feed if item.post.reply_count]
        found: dict[str, SourceComment] = {}
        for view in [one for one in answered if one.author.did == did][:_LOOKED_AT]:
            thread = await self._app_view.thread(view.uri)
            for reply in thread.replies if thread is not None else ():
                if (content := reply.content()) is not None:
                    found[reply.uri] = comment_from(
                        reply.uri, content, kol_id, reply.seen_at(), reply.like_count
                    )
            if len(found) >= _SHOWN:
                break
        newest = sorted(found.values(), key=lambda one: str(one.created_at), reverse=True)
        return newest[:_SHOWN]


register(
    SourceType(
        name="bluesky",
        title="Bluesky",
        about="Replies to the KOLs' posts on Bluesky, mentions and quotes, within seconds.",
        platform="bluesky",
        source=BlueskySource,
        spec=BlueskySpec,
        build=BlueskySource,
        example={"mentions": True, "history_days": 90},
        budget=lambda spec: QuotaBudget(spec.requests_an_hour, QuotaPeriod(PeriodLength.HOUR)),
        needs_kol=False,
    )
)
