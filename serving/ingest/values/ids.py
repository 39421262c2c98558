"""Ids as text. One that a spreadsheet or a float has rounded is refused: it names no comment."""

import re

from serving.ingest.values.counts import MISSING
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.text import storable

_EXACT = 2**53  # floats count in steps of 1 up to here
_LARGEST = 2**64
_SCIENTIFIC = re.compile(r"[+-]?\d([.,]\d+)?[eE]\+\d+|[+-]?\d[.,]\d+[eE]\d+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_WAY_OUT = "import the original file, or export the column as text"


def read_id(value: object, most: int) -> str | None:
    """A value as an id; None where there is none.

    Args:
        value: text or a whole number.
        most: characters that it may have.

    Raises:
        InvalidValue: it is none, or digits of it were lost.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        raise InvalidValue("wrong_type", "must be text")
    if isinstance(value, float):
        if value != value:  # NaN: an empty cell
            return None
        if abs(value) >= _EXACT:
            raise InvalidValue(
                "rounded_id",
                f"was rounded to {value:g}: floats hold 15 digits; {_WAY_OUT}",
            )
        if not value.is_integer():
            raise InvalidValue("wrong_type", "must be text or a whole number")
        return str(int(value))
    if isinstance(value, int):
        if abs(value) >= _LARGEST:
            raise InvalidValue("wrong_type", "must be text")
        return str(value)
    if not isinstance(value, str):
        raise InvalidValue(
            "wrong_type", f"must be text or a whole number, not {_kind(value)}; name the part of it"
        )
    text = storable(value).strip()
    if _SCIENTIFIC.fullmatch(text):
        raise InvalidValue("rounded_id", f"was rounded to {text} by a spreadsheet; {_WAY_OUT}")
    if len(text) > most:
        raise InvalidValue("too_long", f"is too long: {most} characters at most")
    if _CONTROLS.search(text):
        raise InvalidValue("bad_characters", "has characters that are not allowed here")
    return text


def is_missing(value: object) -> bool:
    """Whether an optional id is one of the words for "there is none"."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in MISSING)


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"
