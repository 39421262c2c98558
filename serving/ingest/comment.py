"""One raw item of a submission into a `Comment`, or a named reason why it is none."""

from collections import Counter
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
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from monitoring.events import Comment
from serving.errors import InvalidComment
from serving.ingest.kol_id import fits, fitting
from serving.ingest.placeholders import is_placeholder
from serving.ingest.values import counts, ids, text
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.rules import NOTHING_KNOWN, Adjustment, TimeRules, ValueContext
from serving.ingest.values.times import read_time
from serving.storage.kol_handle_rows import HandleKey, handle_key
from serving.storage.kol_store import KnownKols

MAX_TEXT_BYTES = text.MAX_BYTES
MAX_LIKES = counts.MOST
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)
_NO_KOLS = KnownKols()
_NO_KOL = {"nan", "NaN", "null", "NULL", "None", "undefined"}  # how programs write an empty cell

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

# pydantic's own error types, in our words; every other code is raised below under its own name.
_BUILT_IN = {
    "missing": ("missing_field", "is missing"),
    "string_type": ("wrong_type", "must be text"),
    "string_too_short": ("empty_field", "must not be empty"),
    "model_type": ("wrong_type", "must be an object"),
}


def storable(value: object) -> object:
    """Text with NUL and lone surrogates, which databases refuse, as U+FFFD; for pydantic."""
    return text.storable(value) if isinstance(value, str) else value


def _read_id(value: object, most: int) -> object:
    if value is None:
        return None
    found = ids.read_id(value, most)
    if found is None or (found and ids.is_missing(found)):
        raise InvalidValue("missing_field", f"is missing ({found!r})" if found else "is missing")
    return found


def _read_kol_id(value: object, info: ValidationInfo) -> object:
    """Ids from before they had to fit URLs are still right."""
    found = ids.read_id(value, 128)
    if found in _NO_KOL:
        raise InvalidValue("missing_field", f"is missing ({found!r})")
    return fitting(found) if found and found not in _context(info).known.registered else found


def _read_optional_id(value: object, info: ValidationInfo, most: int) -> object:
    """What no platform needs never costs a comment, unless it is an object or a list: then the
    whole submission means something else.
    """
    if ids.is_missing(value):
        return None
    try:
        return ids.read_id(value, most)
    except InvalidValue:
        if isinstance(value, list | Mapping):
            raise
        _context(info).adjustments[Adjustment.OPTIONAL_DROPPED] += 1
        return None


def _read_lang(value: object, info: ValidationInfo) -> object:
    """No number is a language."""
    if isinstance(value, bool | int | float):
        _context(info).adjustments[Adjustment.OPTIONAL_DROPPED] += 1
        return None
    return _read_optional_id(value, info, 64)


def _read_text(value: object, info: ValidationInfo) -> object:
    if isinstance(value, list | Mapping):
        value = text.join_text(value)
        _context(info).adjustments[Adjustment.RICH_TEXT_JOINED] += 1
    if not isinstance(value, str):
        return value
    if (repaired := text.repair(value)) is not None:
        value = repaired
        _context(info).adjustments[Adjustment.MOJIBAKE_REPAIRED] += 1
    return text.storable(value)


def _read_likes(value: object, info: ValidationInfo) -> int | None:
    count, adjusted = counts.read_count(value)
    if adjusted:
        kind = Adjustment.LIKES_UNKNOWN if count is None else Adjustment.LIKES_READ
        _context(info).adjustments[kind] += 1
    return count


def short_enough(value: str) -> str:
    """The text itself, if it has at most `MAX_TEXT_BYTES` bytes; for pydantic."""
    if len(value.encode()) > MAX_TEXT_BYTES:
        raise PydanticCustomError(
            "text_too_long", f"is longer than {MAX_TEXT_BYTES} bytes in UTF-8; shorten it"
        )
    return value


def _read_instant(value: object, info: ValidationInfo) -> datetime:
    context = _context(info)
    moment = read_time(value, context.times)
    try:
        instant = moment.astimezone(UTC)
    except OverflowError:  # year 1 east of Greenwich, year 9999 west of it
        instant = moment.replace(tzinfo=UTC)
    if instant < OLDEST:
        raise InvalidValue("timestamp_too_old", f"lies before {OLDEST:%Y-%m-%d}")
    if instant > context.now + CLOCK_SKEW:
        raise InvalidValue(
            "timestamp_in_future",
            f"lies more than {CLOCK_SKEW.seconds // 60} minutes in the future; "
            "check the sender's clock and zone",
        )
    return instant


def _read_optional_instant(value: object, info: ValidationInfo) -> datetime | None:
    if value is False or ids.is_missing(value):  # Reddit: "edited": false
        return None
    try:
        return _read_instant(value, info)
    except InvalidValue:
        _context(info).adjustments[Adjustment.OPTIONAL_DROPPED] += 1
        return None


def _read_deleted(value: object, info: ValidationInfo) -> bool:
    if isinstance(value, bool) or ids.is_missing(value):
        return value is True
    known = _WORDS.get(str(value).strip().casefold()) if isinstance(value, str | int) else None
    if known is None:
        _context(info).adjustments[Adjustment.OPTIONAL_DROPPED] += 1
    return bool(known)


def _context(info: ValidationInfo) -> ValueContext:
    context: ValueContext = info.context  # type: ignore[assignment]  # pydantic takes any object
    return context


def _required_id(most: int) -> BeforeValidator:
    return BeforeValidator(lambda value: _read_id(value, most))


def _optional_id(most: int) -> BeforeValidator:
    def read(value: object, info: ValidationInfo) -> object:
        return _read_optional_id(value, info, most)

    return BeforeValidator(read)


def _ids(most: int, *, optional: bool = False) -> WithJsonSchema:
    """The schema of an id: exports write ids as numbers, too."""
    written = {"type": "string", "minLength": 0 if optional else 1, "maxLength": most}
    null = [{"type": "null"}] if optional else []
    return WithJsonSchema({"anyOf": [written, {"type": "integer"}, *null]})


_Id64 = Annotated[str, StringConstraints(min_length=1, max_length=64), _required_id(64), _ids(64)]
_KolId = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=128)] | None,
    BeforeValidator(_read_kol_id),
    _ids(128, optional=True),
]
_Id256 = Annotated[
    str, StringConstraints(min_length=1, max_length=256), _required_id(256), _ids(256)
]
_OptionalId256 = Annotated[str | None, _optional_id(256), _ids(256, optional=True)]
_LIKES = WithJsonSchema(
    {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}, {"type": "null"}]}
)
_OPTIONAL_TIME = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}
)
_WRITTEN = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}]})


class CommentIn(BaseModel):
    """A comment as a client sends it. Fields that are not listed are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    platform: _Id64 = Field(description="Where it was written, for example `instagram`.")
    comment_id: _Id256 = Field(
        description="The platform's id; unique with `platform` and `kol_id`."
    )
    kol_id: _KolId = Field(
        None,
        description="Whose stream it belongs to: letters, digits and `-._~`. Required without"
        " `handle`.",
    )
    handle: _OptionalId256 = Field(
        None,
        description="The KOL's account on the platform, instead of `kol_id`. The KOL must have it"
        " in its profile.",
    )
    text: Annotated[str, AfterValidator(short_enough), BeforeValidator(_read_text)] = Field(
        description="As written; may be empty. At most 64 KiB in UTF-8."
    )
    created_at: Annotated[datetime, BeforeValidator(_read_instant), _WRITTEN] = Field(
        description="When it was written: ISO 8601 with a time zone, or seconds since 1970."
    )
    post_id: _OptionalId256 = Field(None, description="The post it was written under.")
    author_id: _OptionalId256 = Field(None, description="Who wrote it.")
    parent_id: _OptionalId256 = Field(None, description="The comment it answers.")
    lang: Annotated[str | None, BeforeValidator(_read_lang)] = Field(
        None, description="BCP-47 tag, if the source gives one."
    )
    likes: Annotated[int | None, BeforeValidator(_read_likes), _LIKES] = Field(
        None, description="At the time of reading; null where it cannot be read as a number."
    )
    edited_at: Annotated[
        datetime | None, BeforeValidator(_read_optional_instant), _OPTIONAL_TIME
    ] = Field(
        None,
        description="When the text was last changed; decides which of two texts is the newer.",
    )
    deleted: Annotated[bool, BeforeValidator(_read_deleted)] = Field(
        False, description="True if it was deleted. A text such as `[deleted]` says the same."
    )


def named_kol(item: object) -> str | HandleKey | None:
    """What a raw item names its KOL by, where that has to be looked up.

    Returns:
        An id that is not as ids are; platform and key of a handle; None for neither.
    """
    if not isinstance(item, Mapping):
        return None
    try:
        if kol_id := ids.read_id(item.get("kol_id"), 128):
            return None if fits(kol_id) else kol_id
        platform, handle = (
            ids.read_id(item.get("platform"), 64),
            ids.read_id(item.get("handle"), 256),
        )
    except InvalidValue:
        return None
    return (platform, handle_key(handle)) if platform and handle else None


def parse_comment(
    item: object,
    *,
    now: datetime,
    times: TimeRules = NOTHING_KNOWN,
    adjustments: Counter[Adjustment] | None = None,
    known: KnownKols = _NO_KOLS,
) -> Comment:
    """Check one raw item.

    Args:
        item: a mapping with the fields of `CommentIn`; anything else is refused.
        now: the present instant; comments from the future are refused.
        times: what is known of its time beside what it says.
        adjustments: counts what was changed in its values to read them, if it is a comment.
        known: of the KOLs that `named_kol` says of the item, those that there are.

    Raises:
        InvalidComment: names the first field at fault, what is wrong and the fix.
    """
    changed: Counter[Adjustment] = Counter()
    context = ValueContext(now, times, changed, known)
    if not isinstance(item, Mapping):
        raise InvalidComment("wrong_type", None, "each comment must be an object")
    try:
        comment = CommentIn.model_validate(dict(item), context=context)
    except ValidationError as error:
        raise _first_fault(error.errors(include_url=False)[0]) from None
    fields = dict(comment)
    del fields["handle"]
    fields["kol_id"] = comment.kol_id or _owner(comment, known)
    removed = fields.pop("deleted")
    if is_placeholder(comment.text):
        removed, fields["text"] = True, ""
    if changed and adjustments is not None:  # of comments that are kept
        adjustments.update(changed)
    return Comment(**fields, removed=removed)


def _owner(comment: CommentIn, known: KnownKols) -> str:
    """The KOL that has the comment's handle."""
    if comment.handle is None:
        raise InvalidComment(
            "missing_field",
            "kol_id",
            "kol_id is missing; give it, or the KOL's account on the platform as handle",
        )
    kol_id = known.handles.get((comment.platform, handle_key(comment.handle)))
    if kol_id is None:
        raise InvalidComment(
            "unknown_handle",
            "handle",
            f"handle {comment.handle!r} on {comment.platform} is no KOL's; add it to the KOL's"
            " profile (PUT /v1/kols/lena-park with handles), or send kol_id",
        )
    return kol_id


def _first_fault(error: ErrorDetails) -> InvalidComment:
    field = str(error["loc"][0]) if error["loc"] else None
    context = error.get("ctx", {})
    if isinstance(cause := context.get("error"), InvalidValue):
        code, message = cause.code, cause.message
        return InvalidComment(code, field, f"{field} {message}")
    code, message = _BUILT_IN.get(error["type"], (error["type"], error["msg"]))
    return InvalidComment(code, field, f"{field} {message.format(**context)}")
