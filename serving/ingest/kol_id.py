"""Which ids a KOL can have."""

import re
import unicodedata

from serving.ingest.values.invalid_value import InvalidValue

_PUNCTUATION = frozenset("-._~")
_UNFIT = re.compile(r"[^\w.~-]+")
_EXAMPLE = "lena-park"


def fits(kol_id: str) -> bool:
    """Whether an id can be a part of a URL's path as it is, in any script.

    It holds letters, digits, their marks and `-._~`, composed (NFC); it is not `.` or `..`, which
    mean folders.
    """
    return (
        kol_id not in {"", ".", ".."}
        and unicodedata.is_normalized("NFC", kol_id)
        and all(char in _PUNCTUATION or unicodedata.category(char)[0] in "LMN" for char in kol_id)
    )


def fitting(kol_id: str) -> str:
    """The id, composed (NFC).

    Raises:
        InvalidValue: it has characters that an id cannot have; names one that would do.
    """
    composed = unicodedata.normalize("NFC", kol_id)
    if not fits(composed):
        better = _UNFIT.sub("-", composed).strip("-.") or _EXAMPLE
        raise InvalidValue(
            "bad_kol_id",
            "may hold letters, digits and -._~ only, because it is a part of URLs;"
            f" write it like {better if fits(better) else _EXAMPLE}",
        )
    return composed
