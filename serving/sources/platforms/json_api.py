"""Any JSON API that lists comments: its address, its token, and paths to what it answers."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from serving.sources.comment_paths import CommentPathsSpec
from serving.sources.faults import BadAnswer, SourceFault
from serving.sources.field_paths import FieldPath, text_at, value_at
from serving.sources.platform_client import PlatformAnswer
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import QuotaPeriod
from serving.sources.registry import SourceType, register
from serving.sources.source import Poller, SourceCursor, SourcePreview
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED, Secret
from serving.sources.web_address import web_address

_MOST_ITEMS = 5000  # of one answer
_MOST_MARKS = 2000  # of comments that are remembered: more than any page has
_OVERLAP = timedelta(minutes=5)  # asked for again, for comments that came late into the list


class JsonPaging(StrEnum):
    """How the list goes on after one answer."""

    NONE = "none"
    NEWEST_FIRST = "newest_first"
    OLDEST_FIRST = "oldest_first"


class TimeFormat(StrEnum):
    """How a time is written in a request."""

    ISO = "iso"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


class JsonApiSpec(CommentPathsSpec):
    """Where comments are asked for, and how the answers are read."""

    platform: str = Field(
        title="Platform",
        description="Where the comments were written, in small letters: forum, shop.",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
    )
    url: Annotated[str, AfterValidator(web_address)] = Field(
        title="Address",
        description="The address that lists comments, with the parameters that never change.",
        max_length=2000,
    )
    token: Secret | None = Field(
        None,
        title="Token",
        description="The token of the API; unset if it needs none.",
    )
    token_header: str = Field(
        "Authorization",
        title="Header of the token",
        description="The header that the API expects the token in.",
        pattern=r"^[A-Za-z0-9-]+$",
    )
    token_scheme: str = Field(
        "Bearer",
        title="Scheme of the token",
        description="The word before the token in its header; empty for none.",
        max_length=40,
        json_schema_extra=ADVANCED,
    )
    items: FieldPath | None = Field(
        None,
        title="Path of the list",
        description="JMESPath of the comments in an answer; unset if the answer is the list.",
    )
    paging: JsonPaging = Field(
        JsonPaging.NONE,
        title="Order of the pages",
        description="Use none if one answer has everything, newest_first if each round begins with"
        " the newest comments, oldest_first if the API continues after the last cursor.",
    )
    next_path: FieldPath | None = Field(
        None,
        title="Path of the next page",
        description="JMESPath of the cursor, or of the whole link, that leads to the next page.",
    )
    next_parameter: str | None = Field(
        None,
        title="Parameter of the next page",
        description="The parameter that takes the cursor; unset if the path finds a whole link.",
        max_length=100,
    )
    since_parameter: str | None = Field(
        None,
        title="Parameter of the time",
        description="The parameter that leaves out comments from before a time; unset for none.",
        max_length=100,
    )
    since_format: TimeFormat = Field(
        TimeFormat.ISO,
        title="Format of the time",
        description="How the API wants that time: iso, seconds or milliseconds since 1970.",
        json_schema_extra=ADVANCED,
    )
    requests_a_day: int = Field(
        4000,
        title="Requests a day",
        description="How many requests may be sent in a day (UTC); never more are.",
        ge=1,
        le=1_000_000,
    )

    @model_validator(mode="after")
    def _pages_have_a_path(self) -> "JsonApiSpec":
        if self.paging is not JsonPaging.NONE and self.next_path is None:
            raise ValueError(
                f"paging is {self.paging} but next_path is not set; say where an answer has its"
                " next cursor or link, such as paging.next"
            )
        if self.paging is JsonPaging.OLDEST_FIRST and self.next_parameter is None:
            raise ValueError(
                "paging is oldest_first but next_parameter is not set; say which parameter takes"
                " the cursor, such as after"
            )
        return self


class RefusedRequest(BadAnswer):
    """The API does not take a request: a wrong parameter, or a cursor that expired."""


def _refused_request(answer: PlatformAnswer) -> SourceFault | None:
    if answer.status not in {400, 404, 410, 422}:
        return None
    said = " ".join(answer.content[:400].decode("utf-8", "replace").split())[:200]
    return RefusedRequest(
        f"the API answered {answer.status}: {said}",
        remedy="check the address and the parameters in the source's settings",
    )


class JsonApiSource(Poller):
    """Asks the API, page by page, for what it had not brought."""

    def __init__(self, spec: JsonApiSpec, context: SourceContext) -> None:
        self._spec = spec
        self._context = context
        headers = {}
        if spec.token is not None:
            words = (spec.token_scheme, spec.token.get_secret_value())
            headers[spec.token_header] = " ".join(filter(None, words))
        self._client = context.client(spec.url, headers=headers, read_fault=_refused_request)

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """One page."""
        if self._spec.paging is JsonPaging.OLDEST_FIRST:
            return await self._continued(cursor or {}, history=cursor is None)
        return await self._round(cursor or {}, history=cursor is None)

    async def preview(self) -> SourcePreview:
        """The first page."""
        comments, _ = await self._ask(None, None)
        order = {
            JsonPaging.NONE: "comments that are no longer in the one answer",
            JsonPaging.NEWEST_FIRST: "edits and removals of comments that are no longer on the"
            " pages that are read: a round ends with the first page that brings nothing new",
            JsonPaging.OLDEST_FIRST: "edits and removals that the API does not list as new items",
        }
        return SourcePreview(
            account=self._spec.url,
            sees=(
                f"{len(comments)} comments in the first answer",
                "new comments within 20 seconds to five minutes of their listing",
            ),
            cannot_see=(order[self._spec.paging], "what the API does not list"),
            costs=(
                f"at most {self._spec.requests_a_day:,} requests a day, and whatever the API's"
                " owner charges for them",
            ),
            comments=tuple(comments[:10]),
        )

    async def _continued(self, cursor: Mapping[str, Any], *, history: bool) -> SourceBatch:
        """The comments after the last cursor."""
        after = cursor.get("after")
        comments, following = await self._ask_or_begin(after, None)
        moved = following is not None and following != after
        first = history or bool(cursor.get("history"))
        more = moved and bool(comments)
        return SourceBatch(
            comments=comments,
            cursor={"after": following if moved else after, "history": first and more},
            more=more,
            history=first,
        )

    async def _round(self, cursor: Mapping[str, Any], *, history: bool) -> SourceBatch:
        """The next page of a round, or the first of a new one.

        A round ends with a page of which everything was there before the round. What it brought
        counts only once it has ended: a round that begins anew, because the cursor of its page
        expired, may not end where it broke off.
        """
        page, before = cursor.get("page"), cursor.get("seen", [])
        found, since = cursor.get("found", []), cursor.get("since")
        comments, following = await self._ask_or_begin(page, since)
        marks = [_mark(comment) for comment in comments]
        # The first ones are the newest: the next round ends at them.
        found = list(islice(dict.fromkeys([*found, *marks]), _MOST_MARKS))
        if following == page:  # it leads to itself, and would be asked for without end
            following = None
        # A time in the future would leave out all that is written until then.
        now = self._context.clock.now().timestamp()
        written = [at for one in comments if (at := _written_at(one)) and 0 < at <= now]
        newest = max(filter(None, [cursor.get("newest"), *written]), default=None)
        first = history or bool(cursor.get("history"))
        ended = following is None or not comments or set(marks) <= set(before)
        if ended:
            left = {"seen": found or before, "newest": newest, "since": self._since(newest)}
        else:
            left = {
                "page": following,
                "seen": before,
                "found": found,
                "newest": newest,
                "since": since,
                "history": first,
            }
        return SourceBatch(comments=comments, cursor=left, more=not ended, history=first)

    async def _ask_or_begin(
        self, page: str | None, since: float | None
    ) -> tuple[list[SourceComment], str | None]:
        """As `_ask`, and from the beginning if the cursor expired: what comes again is known."""
        try:
            return await self._ask(page, since)
        except RefusedRequest:
            if page is None:
                raise
            return await self._ask(None, since)

    async def _ask(
        self, page: str | None, since: float | None
    ) -> tuple[list[SourceComment], str | None]:
        """The comments of a page, and what leads to the next one."""
        spec = self._spec
        if page is not None and spec.next_parameter is None:
            answer = await self._client.get(page)
        else:
            params: dict[str, Any] = {}
            if since is not None and spec.since_parameter is not None:
                params[spec.since_parameter] = _written(since, spec.since_format)
            if page is not None and spec.next_parameter is not None:
                params[spec.next_parameter] = page
            answer = await self._client.get(spec.url, params)
        document = answer.json()
        following = text_at(spec.next_path, document) if spec.next_path else None
        return self._comments(document), following or None

    def _comments(self, document: Any) -> list[SourceComment]:
        path = self._spec.items
        found = document if path is None else value_at(path, document)
        if not isinstance(found, list):
            where = "the answer is" if path is None else f"what is at {path!r} is"
            raise BadAnswer(f"{where} no list; correct the path of the list")
        if len(found) > _MOST_ITEMS:
            raise BadAnswer(
                f"the answer has {len(found):,} items; ask for at most {_MOST_ITEMS:,} at once,"
                " with a parameter of the address"
            )
        comments = [self._spec.comment_in(item) for item in found if isinstance(item, dict)]
        if found and not any(comment.comment_id for comment in comments):
            raise BadAnswer(
                f"no item of the answer has an id at {self._spec.comment_id!r}; correct the paths"
            )
        return comments

    def _since(self, newest: float | None) -> float | None:
        return None if newest is None else newest - _OVERLAP.total_seconds()


def _mark(comment: SourceComment) -> str:
    """Changes with what a comment says; not with its likes, which would make each page new."""
    said = f"{comment.comment_id}\0{comment.text}\0{comment.edited_at}\0{comment.removed}"
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]


def _written_at(comment: SourceComment) -> float | None:
    """When a comment was written, in seconds since 1970; None if that is not clear."""
    value = comment.created_at
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        try:
            return value.timestamp() if value.tzinfo is not None else None
        except (OverflowError, ValueError):
            return None
    return value / 1000 if value > 1e11 else value


def _written(since: float, style: TimeFormat) -> str:
    if style is TimeFormat.ISO:
        return datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
    return str(int(since * (1000 if style is TimeFormat.MILLISECONDS else 1)))


def _budget(spec: JsonApiSpec) -> QuotaBudget:
    return QuotaBudget(spec.requests_a_day, QuotaPeriod())


_EXAMPLE: Mapping[str, Any] = {
    "platform": "forum",
    "url": "https://forum.example.com/api/comments?kol=lena",
    "token": "t0ken-of-the-forum",
    "items": "data.comments",
    "paging": "newest_first",
    "next_path": "paging.next",
    "next_parameter": "cursor",
    "comment_id": "id",
}
register(
    SourceType(
        name="json_api",
        title="Any JSON API",
        about="Comments that any program lists as JSON, asked for again and again.",
        source=JsonApiSource,
        spec=JsonApiSpec,
        build=JsonApiSource,
        example=_EXAMPLE,
        budget=_budget,
        needs_kol=False,
    )
)
