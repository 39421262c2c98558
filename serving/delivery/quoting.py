"""Other people's words in our messages: masked, defused, cut to length."""

import re
import unicodedata
from itertools import groupby

_LONGEST = 160
_READ = 400  # characters of a comment that are looked at; bounds the time of a search

# Stems of offensive words; in scripts that put spaces between words each must stand as a word of
# its own, with at most an ending.
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
# In scripts without such spaces each masks wherever it stands.
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


def masked(text: str) -> str:
    """The text with every offensive word that is known by its first letter and stars."""
    return _OFFENSIVE.sub(lambda found: found[0][0] + "*" * (len(found[0]) - 1), text)


def holds_offence(text: str) -> bool:
    """Whether the beginning of the text holds an offensive word that `masked` knows."""
    return _OFFENSIVE.search(unicodedata.normalize("NFC", text[:_READ])) is not None


def one_line(text: str) -> str:
    """The text on one line, unable to call a whole chat room or to be read as markup."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    text = _MENTION.sub("@\u200b", text)
    return text.translate(_BRACKETS)


def quoted(text: str) -> str:
    """A comment as messages show it: one line, masked, at most 160 characters, in quotes."""
    line = masked(one_line(text[:_READ]))
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1] + "…"
    return f"“{line}”"
