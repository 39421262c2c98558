"""Schemas of posts: those that are sent, those that are read, and how alerts name them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from serving.api.aware_time import AwareTime
from serving.ingest.comment import CLOCK_SKEW, MAX_LIKES, OLDEST, short_enough, storable
from serving.ingest.values.ids import read_id
from serving.ingest.values.invalid_value import InvalidValue
from serving.locales.quoting import cut, one_line
from serving.storage.comment_update import CommentOutcome
from serving.storage.post_names import NamedPost, PostNames
from serving.storage.post_record import PostCounts, PostKind, PostRecord, SentPost

_LONGEST_URL = 2000
_LONGEST_TEXT = 100  # characters of a text that stands for its post
_Number = Annotated[int, Field(ge=0, le=MAX_LIKES)] | None


def _ids(most: int) -> WithJsonSchema:
    return WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1, "maxLength": most}, {"type": "integer"}]}
    )


def _id_of(most: int) -> BeforeValidator:
    def read(value: object) -> str:
        try:
            found = read_id(value, most)
        except InvalidValue as error:
            raise PydanticCustomError("bad_id", "{message}", {"message": error.message}) from None
        if not found:
            raise PydanticCustomError("empty_id", "must not be empty")
        return found

    return BeforeValidator(read)


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or not value.isprintable() or " " in value or "@" in parts.netloc:
        raise PydanticCustomError(
            "bad_url",
            "must be an http or https address without a password, such as"
            " https://www.instagram.com/p/abc",
        )
    return value


def _past(value: datetime, info: ValidationInfo) -> datetime:
    now = info.context
    assert isinstance(now, datetime)
    if not OLDEST <= value <= now + CLOCK_SKEW:
        raise PydanticCustomError(
            "bad_time", "must be after 1999 and not in the future; check the sender's clock"
        )
    return value


_Time = Annotated[AwareTime, AfterValidator(_past)]


class PostCountsIn(BaseModel):
    """What a platform counted of a post."""

    model_config = ConfigDict(extra="forbid")

    at: _Time | None = Field(None, description="When it was read; default: now.")
    likes: _Number = Field(None, description="Reactions of any kind.")
    comments: _Number = Field(None, description="Comments, by the platform's count.")
    shares: _Number = Field(None, description="Shares and reposts.")
    views: _Number = Field(None, description="Views or plays.")

    def reading(self, now: datetime) -> PostCounts:
        """The record."""
        return PostCounts(self.at or now, self.likes, self.comments, self.shares, self.views)


class PostIn(BaseModel):
    """A post, or what is new of one. Omitted fields keep their value; KOLs and counts are added."""

    model_config = ConfigDict(extra="forbid")

    platform: Annotated[str, _id_of(64), _ids(64)] = Field(
        description="Where it was published, as in its comments."
    )
    post_id: Annotated[str, _id_of(256), _ids(256)] = Field(
        description="The platform's id, as in its comments; unique with `platform`."
    )
    kols: list[str] = Field(
        min_length=1, max_length=50, description="Ids of the KOLs who published it."
    )
    text: Annotated[str, AfterValidator(short_enough), BeforeValidator(storable)] | None = Field(
        None, description="As written. At most 64 KiB in UTF-8."
    )
    url: Annotated[str, Field(max_length=_LONGEST_URL), AfterValidator(_web_address)] | None = (
        Field(None, description="Where it is: an http or https address.")
    )
    created_at: _Time | None = Field(None, description="When it was published.")
    kind: PostKind | None = None
    counts: PostCountsIn | list[PostCountsIn] | None = Field(
        None, description="One reading, or several with their times. All readings are kept."
    )

    def sent(self, kols: Iterable[str], now: datetime) -> SentPost:
        """The record, with the KOLs as they are registered."""
        counts = self.counts or []
        readings = counts if isinstance(counts, list) else [counts]
        return SentPost(
            platform=self.platform,
            post_id=self.post_id,
            kols=frozenset(kols),
            text=self.text,
            url=self.url,
            created_at=self.created_at,
            kind=self.kind,
            counts=[reading.reading(now) for reading in readings],
        )


class PostReceiptOut(BaseModel):
    """What became of one post."""

    platform: str
    post_id: str
    status: CommentOutcome


class PostSubmissionOut(BaseModel):
    """What became of the posts of a request."""

    accepted: int = Field(description="Posts that are new.")
    updated: int = Field(description="Posts that were known, with something new.")
    duplicates: int = Field(description="Posts that were known, with nothing new.")
    items: list[PostReceiptOut]


class PostCountsOut(BaseModel):
    """What a platform counted of a post at an instant; null for what it does not say."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    likes: int | None
    comments: int | None
    shares: int | None
    views: int | None


class PostOut(BaseModel):
    """A post. What nobody sent is null."""

    model_config = ConfigDict(from_attributes=True)

    platform: str
    post_id: str
    kols: list[str] = Field(description="Ids of the KOLs who published it.")
    text: str | None
    url: str | None
    created_at: datetime | None
    kind: PostKind | None
    recorded_at: datetime = Field(description="When it was first sent (wall clock).")
    counts: PostCountsOut | None = Field(description="The newest reading.")


class PostDetailOut(PostOut):
    """A post with its counts over time."""

    series: list[PostCountsOut] = Field(description="The last 1,000 readings, oldest first.")

    @classmethod
    def of(cls, post: PostRecord, series: Sequence[PostCounts]) -> Self:
        """A post and its readings."""
        shown = PostOut.model_validate(post).model_dump()
        return cls.model_validate(shown | {"series": list(series)})


class PostList(BaseModel):
    """A page of posts, the last published first."""

    items: list[PostOut]
    next_cursor: str | None


class PostNameOut(BaseModel):
    """How people know a post."""

    text: str | None = Field(description="Its text on one line, shortened; null if unknown.")
    url: str | None


def names_out(posts: Iterable[NamedPost], names: PostNames) -> dict[str, PostNameOut]:
    """The names of those posts that were sent, by their ids."""
    return {
        post.post_id: PostNameOut(
            text=cut(one_line(name.text), _LONGEST_TEXT) if name.text else None, url=name.url
        )
        for post in posts
        if (name := names.get(post)) is not None
    }
