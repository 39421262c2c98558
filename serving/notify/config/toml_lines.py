"""The line of a TOML text that a value is on, for messages about it."""

import re
import tomllib
from typing import Any

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"\s*((?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:\"[^\"]*\"|[\w-]+))*)\s*="
)

Path = tuple[str | int, ...]


class TomlLines:
    """The lines of tables and keys of a text that `tomllib` reads."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        arrays: dict[Path, int] = {}
        table: Path = ()
        for number, line in enumerate(text.splitlines(), 1):
            if (header := _HEADER.match(line)) and (path := _path(header[2])):
                if header[1] == "[[":
                    arrays[path] = arrays.get(path, -1) + 1
                    path = (*path, arrays[path])
                table = path
                self._lines.setdefault(table, number)
            elif (key := _KEY.match(line)) and (path := _path(key[1])):
                self._lines.setdefault((*table, *path), number)

    def of(self, path: Path) -> int:
        """The line of the value at `path`, or of what holds it; 1 where neither is found."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 1


def _path(dotted: str) -> Path:
    """The keys of a dotted key; empty where it is none."""
    try:
        value: Any = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while isinstance(value, dict):
        ((key, value),) = value.items()
        keys.append(key)
    return tuple(keys)
