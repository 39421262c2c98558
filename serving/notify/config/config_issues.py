"""What is wrong in a channels file, by line."""

from collections.abc import Collection
from dataclasses import dataclass

from pydantic import ValidationError

from serving.notify.config.toml_lines import Path as Place
from serving.notify.config.toml_lines import TomlLines


@dataclass(frozen=True, slots=True)
class ConfigIssue:
    """Something wrong in a channels file.

    Attributes:
        line: counted from 1.
        message: what is wrong, and how to fix it.
    """

    line: int
    message: str


class ConfigIssues:
    """Collects every issue of a file."""

    def __init__(self, lines: TomlLines) -> None:
        self._lines = lines
        self._found: list[ConfigIssue] = []

    @property
    def found(self) -> list[ConfigIssue]:
        """All of them, by line."""
        return sorted(self._found, key=lambda issue: issue.line)

    def line(self, place: Place) -> int:
        """The line of a value."""
        return self._lines.of(place)

    def add(self, place: Place, message: str) -> None:
        """Report what is wrong at a place of the file."""
        self._found.append(ConfigIssue(self._lines.of(place), message))

    def invalid(self, place: Place, error: ValidationError) -> None:
        """Report that the value at a place does not match its specification."""
        for one in error.errors(include_url=False, include_input=False):
            where = (*place, *one["loc"])
            message = one["msg"].removeprefix("Value error, ")
            if one["type"] == "extra_forbidden":
                message = "there is no such key; delete it or correct its spelling"
            name = ".".join(str(part) for part in one["loc"])
            self.add(where, f"{name}: {message}" if name else message)

    def unknown(self, place: Place, what: str, name: str, known: Collection[str]) -> None:
        """Report a name that the file does not define."""
        names = ", ".join(sorted(known)) or "none"
        self.add(place, f"there is no {what} {name!r}; there are: {names}")
