"""Prepares text that others wrote for our messages: masked, made harmless, cut to length."""

import re
import unicodedata
from itertools import groupby

_LONGEST = 160
_READ = 400  # characters of a comment that are read; limits the time of a search

# Stems of offensive words; in scripts with spaces between words each must be a separate word,
# with at most an ending.
_STEMS = (
    # English
    "motherfuck", "fuck", "bullshit", "shit", "bitch", "cunt", "asshole", "whore", "slut",
    "bastard", "dickhead", "faggot", "nigger", "nigga", "retard", "wank", "twat",
    # German, French, Spanish, Portuguese, Italian
    "arschloch", "fotze", "hurensohn", "schlampe", "putain", "connard", "salope", "enculé", "puta",
    "mierda", "cabrón", "cabron", "pendejo", "caralho", "porra", "stronzo", "vaffanculo",
    # Indonesian
    "anjing", "bangsat", "kontol", "memek", "ngentot", "goblok", "tolol",
    # Vietnamese
    "địt", "đụ", "lồn", "cặc", "buồi", "đéo", "đĩ", "đmm", "vcl", "dmm",
)  # fmt: skip
_ENDINGS = r"(?:s|es|ed|er|ers|in|ing|ings|y|ty|head|heads|face|ard|ards|os|as)?"
# In scripts without such spaces each is masked anywhere.
_ANYWHERE = (
    "씨발", "시발", "씨팔", "병신", "개새끼", "좆", "지랄", "傻逼", "操你妈", "他妈的", "婊子",
    "クソ野郎", "死ね", "เหี้ย", "ควย", "สัส",
)  # fmt: skip
_LOOKALIKES = {"a": "a@4", "e": "e3", "i": "i1!|", "o": "o0", "s": "s$5", "u": "uüv", "c": "ck"}


def _pattern(stem: str) -> str:
    # Letters may be repeated (fuuuck) or written with look-alikes (sh1t).
    return "".join(
        f"[{re.escape(_LOOKALIKES.get(letter, letter))}]{{{len(list(run))},}}"
        for letter, run in groupby(stem)
    )


_OFFENSIVE = re.compile(
    rf"(?<!\w)(?:{'|'.join(map(_pattern, _STEMS))}){_ENDINGS}(?!\w)|{'|'.join(_ANYWHERE)}",
    re.IGNORECASE,
)
_BRACKETS = str.maketrans("<>", "\u2039\u203a")
_MENTION = re.compile(r"@(?=everyone\b|here\b|channel\b|all\b)", re.IGNORECASE)
# Control characters, and those that turn the direction of what follows them.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
# A dot of any script inside a word, the colon of a scheme, and the sign before a name.
_LINKED = re.compile(r"(?<=\S)[.\u2024\u3002\uff0e\uff61](?=\S)|:(?=//)|@(?=\w)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def masked(text: str) -> str:
    """The text with every known offensive word replaced by its first letter and stars."""
    return _OFFENSIVE.sub(lambda found: found[0][0] + "*" * (len(found[0]) - 1), text)


def holds_offence(text: str) -> bool:
    """Whether the beginning of the text contains an offensive word that `masked` knows."""
    return _OFFENSIVE.search(unicodedata.normalize("NFC", text[:_READ])) is not None


def one_line(text: str) -> str:
    """The text on one line, without mentions of a whole chat room and without markup."""
    text = " ".join(_UNSEEN.sub("", unicodedata.normalize("NFC", text)).split())
    text = _MENTION.sub("@\u200b", text)
    return text.translate(_BRACKETS)


def defused(text: str) -> str:
    """The text, looking the same, of which no program makes a link.

    Mail clients and chats make links of what looks like an address, such as `evil.example`, and of
    `@name`. Readers trust our messages, but these are the words of others.
    """
    return _LINKED.sub(lambda found: f"{found[0]}\u200b", text)


def harmless(text: str, longest: int) -> str:
    """What others wrote, for a message: one line of at most so many characters, without links."""
    return defused(cut(one_line(text), longest))


def cut(text: str, longest: int) -> str:
    """The text, or its beginning with an ellipsis, in at most `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def quoted(text: str) -> str:
    """A comment as messages show it: one line, masked, at most 160 characters, in quotes.

    Web addresses are removed, because a message must not send its readers to a commenter's site.
    """
    line = masked(_ADDRESS.sub("[link]", one_line(text[:_READ])))
    return f"“{defused(cut(line, _LONGEST))}”"
