"""A page of a list."""

import msgspec


class PageBody(msgspec.Struct, frozen=True):
    """A page of a list, its items not yet read."""

    items: list[msgspec.Raw]
    next_cursor: str | None


class WholeBody(msgspec.Struct, frozen=True):
    """A list without pages."""

    items: list[msgspec.Raw]
    next_cursor: None = None
