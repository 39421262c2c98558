"""Ids as text. One that a spreadsheet or a float has rounded is refused: it names no comment."""

import re

from serving.ingest.values.counts import MISSING
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.text import storable

_EXACT = 2**53  # floats count in steps of 1 up to here
_LARGEST = 2**64
_SCIENTIFIC = re.compile(r"[+-]?\d([.,]\d+)?[eE]\+\d+|[+-]?\d[.,]\d+[eE]\d+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_WITH_ZEROS = re.compile(r"(\d+)\.0+")  # a column of floats, written as text
# What spreadsheets and exports for them write so that digits stay as they are.
_PROTECTED = re.compile(r'="([^"]*)"|\'(\d+)')
_CELL_ERROR = re.compile(r"#(REF!|NAME\?|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|CALC!)|#{4,}")
# Characters without width at the ends of a text, such as the mark of an encoding.
_NO_WIDTH = (
    "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
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
    text = _bare(storable(value))
    if not text.isalnum() and _SCIENTIFIC.fullmatch(text):
        raise InvalidValue("rounded_id", f"was rounded to {text} by a spreadsheet; {_WAY_OUT}")
    if len(text) > most:
        raise InvalidValue("too_long", f"is too long: {most} characters at most")
    if _CONTROLS.search(text):
        raise InvalidValue("bad_characters", "has characters that are not allowed here")
    if _CELL_ERROR.fullmatch(text):
        raise InvalidValue(
            "wrong_type", f"is a spreadsheet's error {text}; import the original file"
        )
    if match := _WITH_ZEROS.fullmatch(text):
        if int(match[1]) >= _EXACT:
            raise InvalidValue("rounded_id", f"was written as the float {text}; {_WAY_OUT}")
        return match[1]
    return text


def _bare(text: str) -> str:
    """An id without what surrounds it: space, marks without width, a spreadsheet's protection."""
    text = text.strip()
    if not text.isascii():
        text = text.strip(_NO_WIDTH).strip()
    if text[:1] in {"=", "'"} and (match := _PROTECTED.fullmatch(text)):
        return (match[1] or match[2] or "").strip()
    return text


def is_missing(value: object) -> bool:
    """Whether an optional id is one of the words for "there is none"."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in MISSING)


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"
