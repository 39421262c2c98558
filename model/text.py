"""Normalises comment text, in the same way for training and for serving."""

import html
import re
import unicodedata

_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_URL = re.compile(
    r"(?:https?://|www\.)[!-~]+|(?<![\w@.-])(?:[a-z0-9-]+\.)+[a-z]{2,10}/[!-~]*",
    re.IGNORECASE,
)
# Latin letters with any marks, or Hangul: in scripts without spaces a handle has no visible end.
_LATIN = "A-Za-z0-9_\u00c0-\u024f\u1e00-\u1eff"
_HANDLE = re.compile(
    rf"(?<![{_LATIN}.])@(?:[{_LATIN}](?:[{_LATIN}.]*[{_LATIN}])?|[\uac00-\ud7a3]+[{_LATIN}\uac00-\ud7a3]*)"
)
_HANDLE_RUN = re.compile(r"@user(?:\s+@user)+")
_ELONGATION = re.compile(r"((?=[^\d\s])\S{1,4}?)\1{3,}")
_MARKS = re.compile(r"([\u0300-\u036f]{2})[\u0300-\u036f]+")
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
_SPACE = re.compile(r"\s+")

URL_TOKEN = "http"  # noqa: S105 - part of the text, not a secret
HANDLE_TOKEN = "@user"  # noqa: S105


def normalise(text: str) -> str:
    r"""Bring a comment into the form that the models read.

    The steps, in order: decode literal ``\u2019`` escapes; join surrogate pairs and drop lone
    surrogates; decode HTML entities; apply Unicode NFKC; drop control, zero-width and variation
    characters; replace links by ``http`` and handles by ``@user`` (several in a row by one); cut
    more than three repetitions of one to four characters to three (except digits); collapse white
    space. Letter case and emoji are kept because they carry sentiment.

    Args:
        text: any string, lone surrogates and NUL included.

    Returns:
        The normalised text; empty if nothing readable is left.
    """
    if _ESCAPE.search(text):
        text = _ESCAPE.sub(_decode_escapes, text)
    text = _join_surrogates(text)
    if "&" in text:
        text = html.unescape(html.unescape(text))
        text = _join_surrogates(text)
    text = unicodedata.normalize("NFKC", text)
    text = _INVISIBLE.sub("", text)
    text = _MARKS.sub(r"\1", text)
    text = _URL.sub(URL_TOKEN, text)
    text = _HANDLE.sub(HANDLE_TOKEN, text)
    text = _HANDLE_RUN.sub(HANDLE_TOKEN, text)
    text = _ELONGATION.sub(r"\1\1\1", text)
    return _SPACE.sub(" ", text).strip()


def _decode_escapes(match: re.Match[str]) -> str:
    codes = match.group().split("\\u")[1:]
    return "".join(chr(int(code, 16)) for code in codes)


def _join_surrogates(text: str) -> str:
    """Join surrogate pairs into characters and drop lone surrogates."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text
