"""The text of a comment: rich text is joined, text that was decoded wrongly is repaired."""

import re
from collections.abc import Mapping

from serving.ingest.values.invalid_value import InvalidValue

MAX_BYTES = 65_536
_DEEPEST = 4

# What UTF-8 looks like after a wrong decoding; most texts have none of it and need no repair.
_SUSPICIOUS = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013-\u203a\u20ac\u2122]"
)


def storable(value: str) -> str:
    """Text with NUL and lone surrogates, which databases refuse, as U+FFFD."""
    if not value.isascii():
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value.replace("\0", "\ufffd")


def join_text(value: object) -> str:
    """Text, or rich text as YouTube (`runs`), Telegram (`text` entities) and others write it.

    Raises:
        InvalidValue: it is neither.
    """
    if isinstance(value, str):
        return value
    joined = _joined(value, 0)
    if joined is None:
        raise InvalidValue("wrong_type", "must be text, not a list or object of an unknown kind")
    return joined


def _joined(value: object, depth: int) -> str | None:
    if isinstance(value, str):
        return value
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        if not any(isinstance(part, Mapping) for part in value):
            return None  # several texts, not pieces of one
        parts = [_joined(part, depth + 1) for part in value]
        return None if None in parts else "".join(part or "" for part in parts)
    if isinstance(value, Mapping):
        for key in ("simpleText", "runs", "text"):
            if key in value:
                return _joined(value[key], depth + 1)
    return None


def repair(text: str) -> str | None:
    """UTF-8 that was read as Latin-1 or Windows-1252, decoded again; None where that is not
    certain.
    """
    if not _SUSPICIOUS.search(text):
        return None
    import ftfy

    found = ftfy.fix_encoding_and_explain(
        text,
        ftfy.TextFixerConfig(
            restore_byte_a0=False,
            replace_lossy_sequences=False,
            decode_inconsistent_utf8=False,
            fix_c1_controls=False,
        ),
    )
    steps = [(step.action, step.parameter) for step in found.explanation or ()]
    certain = len(steps) >= 2 and {action for action, _ in steps} == {"encode", "decode"}
    return found.text if certain and found.text != text else None
