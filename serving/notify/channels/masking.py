"""Keeps the secrets of URLs out of errors: a server may repeat the path that was requested."""

import re
from collections.abc import Set
from urllib.parse import parse_qsl, urlsplit

_MASK = "***"
_MIN_LENGTH = 5  # shorter parts are no secrets, and occur in many words
_PLAIN_WORD = re.compile(r"[a-z]{1,15}")


def secrets_of(url: str) -> Set[str]:
    """The parts of a URL that may be secret: the user, values of the query, odd path segments.

    A path segment is odd if it is no plain word, such as "services".
    """
    parts = urlsplit(url)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    segments = {part for part in parts.path.split("/") if not _PLAIN_WORD.fullmatch(part)}
    values = {value for _, value in parse_qsl(parts.query)}
    return {part for part in {user, password, *segments, *values} if len(part) >= _MIN_LENGTH}


def mask(text: str, secrets: Set[str]) -> str:
    """A text without secrets, the longest first: one may be part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return text
