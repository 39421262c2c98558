"""A number that people read: likes as platforms and spreadsheets write them."""

import math
import re

MOST = 2**53 - 1
_DIGITS = 16  # fewer are below it
# Words and signs that exports write for "there is none".
MISSING = frozenset({"", "-", "--", "nan", "n/a", "na", "#n/a", "null", "none", "nil", "undefined"})

_PLAIN = re.compile(r"\d+(\.0*)?")
_GROUPED = re.compile(r"\d{1,3}([,. \u00a0\u202f'\u2019])\d{3}(\1\d{3})*")
_SHORT = re.compile(r"(\d+(?:[.,]\d+)?)\s*([KMB])", re.IGNORECASE)
_TIMES = {"K": 1000, "M": 1_000_000, "B": 1_000_000_000}


def read_count(value: object) -> tuple[int | None, bool]:
    """A value as a count.

    Returns:
        The count, None where the value is none; and whether the value was written otherwise than
        as a whole number (or as null).
    """
    if value is None:
        return None, False
    if isinstance(value, bool):
        return None, True
    if isinstance(value, int):
        return (value, False) if 0 <= value <= MOST else (None, True)
    if isinstance(value, float):
        whole = math.isfinite(value) and value.is_integer() and 0 <= value <= MOST
        return (int(value), True) if whole else (None, True)
    if not isinstance(value, str):
        return None, True
    text = value.strip()
    return _from_text(text), not (text.isascii() and text.isdigit() and len(text) < _DIGITS)


def _from_text(text: str) -> int | None:
    if len(text) > 40:
        return None
    text = text.removeprefix("+")
    found: float
    if _PLAIN.fullmatch(text):
        found = int(text.partition(".")[0])
    elif match := _GROUPED.fullmatch(text):
        found = int(text.replace(match[1], ""))
    elif match := _SHORT.fullmatch(text):
        found = round(float(match[1].replace(",", ".")) * _TIMES[match[2].upper()])
    else:
        return None
    return int(found) if found <= MOST else None
