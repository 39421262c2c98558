"""Dates as people write them in other scripts and languages, in digits and English words.

Months are named by the tables that come with `dateparser`. A word that names two months, or also a
day of the week, is left as it is.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import import_module

# Languages of the interfaces that comments are exported from. In Croatian `lis` is October, in
# Polish November: both are here, so that neither is read.
_LANGUAGES = (
    "da", "de", "es", "fi", "fr", "hr", "hu", "id", "it", "nb", "nl", "pl", "pt", "ro", "ru", "sv",
    "th", "tr", "uk", "vi",
)  # fmt: skip
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST = 3
_SIGNS = str.maketrans(
    {
        "年": "-", "月": "-", "日": " ", "년": "-", "월": "-", "일": " ", "·": " ", "•": " ",
        "時": ":", "时": ":", "시": ":", "分": " ", "분": " ", "\u2212": "-", "\u2013": "-",
    }
)  # fmt: skip
_CLOCK = re.compile(r"(\d): ?(\d\d?)(?!\d)")
_HALF_FIRST = re.compile(r"(上午|下午|午前|午後|오전|오후) ?(\d{1,2}:\d\d(?::\d\d)?)")
_AFTERNOON = {"下午", "午後", "오후"}
# "at", "of", "day", "year" between the parts of a date.
_BETWEEN = re.compile(
    r"\b(de|del|às|um|uhr|alle ore|lúc|ngày|năm|\u0433|\u0432|kl)\b\.?(?=[\s,]|$)"
)


def plain(text: str) -> str:
    """A date in ASCII digits, signs and spaces, with the names of months in English."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_SIGNS)
        text = "".join(
            str(unicodedata.decimal(c)) if c.isdecimal() else " " if c.isspace() else c
            for c in text
        )
        text = _CLOCK.sub(lambda match: f"{match[1]}:{match[2]:0>2}", text)
        text = _HALF_FIRST.sub(
            lambda match: f"{match[2]} {'PM' if match[1] in _AFTERNOON else 'AM'}", text
        ).strip()
    return text


def in_english(text: str) -> str:
    """A date with the names of its months in English, and without the words between its parts."""
    changed = _names().sub(lambda match: _months()[match[0].lower()], text)
    return " ".join(_BETWEEN.sub(" ", changed).split())


@cache
def _months() -> dict[str, str]:
    meant: dict[str, set[str]] = {}
    other: set[str] = set()
    for language in _LANGUAGES:
        table = import_module(f"dateparser.data.date_translation_data.{language}").info
        for month in _MONTHS:
            for word in _words(table[month]):
                meant.setdefault(word, set()).add(month)
        for day in _DAYS:
            other |= set(_words(table[day]))
    known = set(_MONTHS) | {month[:3] for month in _MONTHS} | {"sept"}
    return {
        word: next(iter(months))
        for word, months in meant.items()
        if len(months) == 1 and word not in other | known
    }


def _words(listed: Iterable[str]) -> Iterable[str]:
    for word in listed:
        plainly = unicodedata.normalize("NFC", word.lower()).rstrip(".")
        if len(plainly) >= _SHORTEST and not plainly.isdigit():
            yield plainly


@cache
def _names() -> re.Pattern[str]:
    longest_first = sorted(_months(), key=len, reverse=True)
    words = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
