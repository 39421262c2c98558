"""One raw item of a submission into a `Comment`, or a named reason why it is none."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from monitoring.events import Comment
from serving.errors import InvalidComment
from serving.ingest.placeholders import is_placeholder

MAX_TEXT_BYTES = 65_536
MAX_LIKES = 2**53 - 1
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)

# pydantic's own error types, in our words; every other code is raised below under its own name.
_BUILT_IN = {
    "missing": ("missing_field", "is missing"),
    "string_type": ("wrong_type", "must be text"),
    "int_type": ("wrong_type", "must be a whole number"),
    "bool_type": ("wrong_type", "must be true or false"),
    "int_from_float": ("wrong_type", "must be a whole number"),
    "int_parsing_size": ("out_of_range", "is too large"),
    "string_too_short": ("empty_field", "must not be empty"),
    "string_too_long": ("too_long", "is too long: {max_length} characters at most"),
    "string_pattern_mismatch": ("bad_characters", "has characters that are not allowed here"),
    "greater_than_equal": ("out_of_range", "must be at least {ge}"),
    "less_than_equal": ("out_of_range", "must be at most {le}"),
    "model_type": ("wrong_type", "must be an object"),
}


def storable(value: object) -> object:
    """Text with NUL and lone surrogates, which databases refuse, as U+FFFD; for pydantic."""
    if not isinstance(value, str):
        return value
    if not value.isascii():
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value.replace("\0", "\ufffd")


def _identifier(value: object) -> object:
    """Ids as text; platforms hand out whole numbers too."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
        return str(value)
    clean = storable(value)
    return clean.strip() if isinstance(clean, str) else clean


def short_enough(value: str) -> str:
    """The text itself, if it has at most `MAX_TEXT_BYTES` bytes; for pydantic."""
    if len(value.encode()) > MAX_TEXT_BYTES:
        raise PydanticCustomError(
            "text_too_long", f"is longer than {MAX_TEXT_BYTES} bytes in UTF-8; shorten it"
        )
    return value


def _parse_instant(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("wrong_type", "must be text like 2026-03-01T12:30:00Z")
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise PydanticCustomError(
            "bad_timestamp", "is not a date and time; write it like 2026-03-01T12:30:00Z"
        ) from None


def _plausible(value: datetime, info: ValidationInfo) -> datetime:
    if value.utcoffset() is None:
        raise PydanticCustomError(
            "naive_timestamp", "has no time zone; add Z for UTC or an offset such as +07:00"
        )
    try:
        instant = value.astimezone(UTC)
    except OverflowError:  # year 1 east of Greenwich, year 9999 west of it
        instant = value.replace(tzinfo=UTC)
    if instant < OLDEST:
        raise PydanticCustomError("timestamp_too_old", f"lies before {OLDEST:%Y-%m-%d}")
    context: dict[str, datetime] = info.context or {}
    if instant > context["now"] + CLOCK_SKEW:
        raise PydanticCustomError(
            "timestamp_in_future",
            f"lies more than {CLOCK_SKEW.seconds // 60} minutes in the future; "
            "check the sender's clock and zone",
        )
    return instant


_NO_CONTROLS = r"^[^\x00-\x1f\x7f]+$"
_Id64 = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=_NO_CONTROLS),
    BeforeValidator(_identifier),
]
_Id128 = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=_NO_CONTROLS),
    BeforeValidator(_identifier),
]
_Id256 = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256, pattern=_NO_CONTROLS),
    BeforeValidator(_identifier),
]


class CommentIn(BaseModel):
    """A comment as a client sends it. Fields that are not listed are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    platform: _Id64 = Field(description="Where it was written, for example `instagram`.")
    comment_id: _Id256 = Field(
        description="The platform's id; unique with `platform` and `kol_id`."
    )
    kol_id: _Id128 = Field(description="Whose stream it belongs to.")
    text: Annotated[str, AfterValidator(short_enough), BeforeValidator(storable)] = Field(
        description="As written; may be empty. At most 64 KiB in UTF-8."
    )
    created_at: Annotated[datetime, BeforeValidator(_parse_instant), AfterValidator(_plausible)] = (
        Field(description="When it was written: ISO 8601 with a time zone.")
    )
    post_id: _Id256 | None = Field(None, description="The post it was written under.")
    author_id: _Id256 | None = Field(None, description="Who wrote it.")
    parent_id: _Id256 | None = Field(None, description="The comment it answers.")
    lang: _Id64 | None = Field(None, description="BCP-47 tag, if the source gives one.")
    likes: Annotated[int, Field(ge=0, le=MAX_LIKES)] | None = Field(
        None, description="At the time of reading."
    )
    edited_at: (
        Annotated[datetime, BeforeValidator(_parse_instant), AfterValidator(_plausible)] | None
    ) = Field(
        None,
        description="When the text was last changed; decides which of two texts is the newer.",
    )
    deleted: bool = Field(
        False, description="True if it was deleted. A text such as `[deleted]` says the same."
    )


def parse_comment(item: object, *, now: datetime) -> Comment:
    """Check one raw item.

    Args:
        item: a mapping with the fields of `CommentIn`; anything else is refused.
        now: the present instant; comments from the future are refused.

    Raises:
        InvalidComment: names the first field at fault, what is wrong and the fix.
    """
    if not isinstance(item, Mapping):
        raise InvalidComment("wrong_type", None, "each comment must be an object")
    try:
        comment = CommentIn.model_validate(dict(item), context={"now": now})
    except ValidationError as error:
        raise _first_fault(error.errors(include_url=False)[0]) from None
    fields = dict(comment)
    removed = fields.pop("deleted")
    if is_placeholder(comment.text):
        removed, fields["text"] = True, ""
    return Comment(**fields, removed=removed)


def _first_fault(error: ErrorDetails) -> InvalidComment:
    field = str(error["loc"][0]) if error["loc"] else None
    code, message = _BUILT_IN.get(error["type"], (error["type"], error["msg"]))
    return InvalidComment(code, field, f"{field} {message.format(**error.get('ctx', {}))}")
