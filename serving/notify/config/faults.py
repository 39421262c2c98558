"""What is wrong in a channels file, by line."""

from collections.abc import Collection
from dataclasses import dataclass

from pydantic import ValidationError

from serving.notify.config.toml_lines import Path as Place
from serving.notify.config.toml_lines import TomlLines


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a channels file.

    Attributes:
        line: counted from 1.
        message: what, and how to mend it.
    """

    line: int
    message: str


class Faults:
    """Gathers every fault of a file."""

    def __init__(self, lines: TomlLines) -> None:
        self._lines = lines
        self._found: list[Fault] = []

    @property
    def found(self) -> list[Fault]:
        """All of them, by line."""
        return sorted(self._found, key=lambda fault: fault.line)

    def line(self, place: Place) -> int:
        """The line of a value."""
        return self._lines.of(place)

    def add(self, place: Place, message: str) -> None:
        """Something is wrong at a place of the file."""
        self._found.append(Fault(self._lines.of(place), message))

    def invalid(self, place: Place, error: ValidationError) -> None:
        """What stands at a place is not as its description wants it."""
        for one in error.errors(include_url=False, include_input=False):
            where = (*place, *one["loc"])
            said = one["msg"].removeprefix("Value error, ")
            if one["type"] == "extra_forbidden":
                said = "there is no such key; delete it or mend its spelling"
            name = ".".join(str(part) for part in one["loc"])
            self.add(where, f"{name}: {said}" if name else said)

    def unknown(self, place: Place, what: str, name: str, known: Collection[str]) -> None:
        """A name is used that nothing in the file has."""
        there = ", ".join(sorted(known)) or "none"
        self.add(place, f"there is no {what} {name!r}; there are: {there}")
