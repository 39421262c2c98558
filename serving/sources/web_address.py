"""Addresses that people enter."""

import re


def web_address(value: str) -> str:
    """The address itself, if it is one of the web.

    Raises:
        ValueError: it is not.
    """
    if not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValueError("must be an address such as https://example.com/comments")
    return value
