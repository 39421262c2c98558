"""RSS and Atom: articles and posts of news sites and blogs, as if they were comments."""

import asyncio
import calendar
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import feedparser
from markupsafe import Markup
from pydantic import AfterValidator, Field

from serving.sources.faults import BadAnswer, Misconfigured
from serving.sources.kol_accounts import KolAccount
from serving.sources.platform_client import PlatformAnswer
from serving.sources.registry import SourceType, register
from serving.sources.source import Poller, SourceCursor, SourcePreview
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_context import SourceContext
from serving.sources.spec import SourceSpec
from serving.sources.web_address import web_address

_MOST = 500  # entries of a feed that are looked at
_END = re.compile(
    rb"</\s*(?:[\w.-]+:)?(?:rss|feed|rdf)\s*>(?:\s|<!--.*?-->)*\Z", re.IGNORECASE | re.DOTALL
)
_SHORTEST_NAME = 3


class RssSpec(SourceSpec):
    """Which feed, and which of its entries."""

    url: Annotated[str, AfterValidator(web_address)] = Field(
        title="Address of the feed",
        description="The address of the RSS or Atom file; many sites link it at the bottom.",
        max_length=2000,
    )
    only_named: bool = Field(
        True,
        title="Only entries that name a KOL",
        description="Whether entries count only if they have the name or an account of a KOL; each"
        " counts for every KOL that it names.",
    )
    platform: str = Field(
        "news",
        title="Platform",
        description="What its entries count as in charts and reports.",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
    )


class RssSource(Poller):
    """Asks for the feed, and brings the entries that are new or were changed."""

    least_interval = timedelta(seconds=60)
    most_interval = timedelta(minutes=15)

    def __init__(self, spec: RssSpec, context: SourceContext) -> None:
        """Prepare.

        Raises:
            Misconfigured: nothing says whom entries are about.
        """
        if context.kol_id is None and not spec.only_named:
            raise Misconfigured(
                "every entry of the feed would count, and nothing says for which KOL",
                remedy="name the KOL of the source, or take only entries that name a KOL",
            )
        self._spec = spec
        self._context = context
        self._client = context.client(spec.url)

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """The entries that were not brought as they are."""
        known = cursor or {}
        answer = await self._client.get(
            self._spec.url, etag=known.get("etag"), modified_since=known.get("modified")
        )
        if answer.not_modified:
            return SourceBatch(cursor=known)
        entries = await asyncio.to_thread(read_feed, answer)
        seen = set(known.get("seen", ()))
        marks = [_mark(entry) for entry in entries]
        fresh = [one for one, mark in zip(entries, marks, strict=True) if mark not in seen]
        return SourceBatch(
            comments=await self._about_kols(fresh),
            cursor={"etag": answer.etag, "modified": answer.last_modified, "seen": marks},
            history=cursor is None,
        )

    async def preview(self) -> SourcePreview:
        """Ask for the feed once."""
        entries = await asyncio.to_thread(read_feed, await self._client.get(self._spec.url))
        comments = await self._about_kols(entries)
        sees = "entries that name a KOL" if self._spec.only_named else "every entry"
        unknown = await self._nameless() if self._spec.only_named else ()
        return SourcePreview(
            account=self._spec.url,
            sees=(
                f"{sees}: {len(comments)} of the {len(entries)} that the feed has now",
                "new entries within a minute to a quarter of an hour of their publication",
                "changes of the text of entries while the feed has them",
            ),
            cannot_see=(
                *unknown,
                "comments below the articles, their likes, and that an article was removed",
                "entries from before the oldest in the feed",
                "what the article says beyond its title and summary in the feed",
            ),
            costs=("nothing; a request that finds nothing new is a few hundred bytes",),
            comments=tuple(comments[:10]),
        )

    async def _nameless(self) -> tuple[str, ...]:
        """That KOLs cannot be found, because nobody entered their names."""
        accounts = await self._context.accounts.on(self._spec.platform)
        found = [one.kol_id for one in accounts if names_of(one) is None]
        own = self._context.kol_id
        if own is not None and not accounts:
            found = [own]
        if not found:
            return ()
        shown = ", ".join(found[:5]) + (" and others" if len(found) > 5 else "")
        return (
            f"articles on {shown}: nobody entered the name, by which an article is found; do so"
            f" with PUT /v1/kols/{found[0]}",
        )

    async def _about_kols(self, entries: Sequence[Mapping[str, Any]]) -> list[SourceComment]:
        now = self._context.clock.now()
        if not self._spec.only_named:
            return [_comment(entry, None, now) for entry in entries]
        accounts = await self._context.accounts.on(self._spec.platform)
        patterns = [(one.kol_id, pattern) for one in accounts if (pattern := names_of(one))]
        return [
            _comment(entry, kol_id, now)
            for entry in entries
            for kol_id, pattern in patterns
            if pattern.search(_text(entry))
        ]


def read_feed(answer: PlatformAnswer) -> list[Mapping[str, Any]]:
    """The entries of a feed, as feedparser gives them. Blocking.

    Raises:
        BadAnswer: it is no feed, or not whole.
    """
    if not _END.search(answer.content[-2000:]):
        raise BadAnswer(
            f"the answer of {len(answer.content):,} bytes does not end as RSS or Atom does; check"
            " the address, it may be a page for people"
        )
    headers = {"content-type": answer.headers.get("Content-Type", "application/xml")}
    found = feedparser.parse(answer.content, response_headers=headers)
    if not found.version:
        raise BadAnswer("the answer is no RSS and no Atom; check the address")
    # As plain dicts: feedparser's own ones answer for keys that they do not have.
    entries = [dict(entry) for entry in found.entries[:_MOST]]
    return [entry for entry in entries if _id(entry) and _text(entry)]


def names_of(account: KolAccount) -> re.Pattern[str] | None:
    """Finds a KOL in a text: by its name or its account, as whole words; None without either."""
    names = [account.name, account.handle and account.handle.lstrip("@")]
    long = [re.escape(name) for name in names if name and len(name) >= _SHORTEST_NAME]
    if not long:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(long)})(?!\w)", re.IGNORECASE)


def _comment(entry: Mapping[str, Any], kol_id: str | None, now: datetime) -> SourceComment:
    published = _time(entry.get("published_parsed"))
    updated = _time(entry.get("updated_parsed"))
    created_at = min(published or updated or now, now)  # some feeds announce what is to come
    return SourceComment(
        comment_id=_id(entry),
        text=_text(entry),
        created_at=created_at,
        kol_id=kol_id,
        author_id=str(entry.get("author") or "")[:256] or None,
        edited_at=updated if updated and created_at < updated <= now else None,
    )


def _id(entry: Mapping[str, Any]) -> str:
    found = str(entry.get("id") or entry.get("link") or "")
    return found if len(found) <= 256 else hashlib.sha256(found.encode()).hexdigest()


def _text(entry: Mapping[str, Any]) -> str:
    """Title and summary, without HTML."""
    parts = [Markup(entry.get(name) or "").striptags() for name in ("title", "summary")]  # noqa: S704
    title, summary = parts
    return title if not summary or summary == title else f"{title}\n{summary}".strip()


def _mark(entry: Mapping[str, Any]) -> str:
    """Changes with what an entry says."""
    said = f"{_id(entry)}\0{_text(entry)}"
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]


def _time(parsed: Any) -> datetime | None:
    """A time as feedparser gives it, which is UTC."""
    try:
        return None if parsed is None else datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


register(
    SourceType(
        name="rss",
        title="RSS or Atom feed",
        about="Articles of news sites and blogs that name a KOL.",
        source=RssSource,
        spec=RssSpec,
        build=RssSource,
        example={"url": "https://news.example.com/feed.xml"},
        needs_kol=False,
    )
)
