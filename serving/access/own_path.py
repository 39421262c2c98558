"""Addresses inside this service, as where to go after a sign-in."""

import re

from starlette.types import Scope

_LONGEST = 2000
# One slash, then what may be in a path and a query. Browsers read `//host` and `/\host` as another
# site, and leave out control characters before they look.
_OWN = re.compile(r"/(?![/\\])[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*", re.ASCII)


def own_path(given: str | None) -> str | None:
    """An address that begins with a slash and leads to a page of this service; None for others."""
    if given is None or len(given) > _LONGEST or not _OWN.fullmatch(given):
        return None
    return None if given.startswith(("/sign-in", "/sign-out")) else given


def relative(path: str, *, seen_from: str) -> str:
    """An address of this service, relative to a page of it, because a proxy may add a prefix.

    Args:
        path: begins with a slash.
        seen_from: the path of the page, which begins with a slash.
    """
    up = "../" * (seen_from.count("/") - 1)
    return f"./{up}{path[1:]}"


def asked_for(scope: Scope) -> str | None:
    """The path and query of a request, if it can be asked for again after a sign-in."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.split(b"?")[0].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return own_path(f"{path}?{query}" if query else path)
