"""Rows that were refused, and where they are written down."""

import csv
from pathlib import Path
from typing import IO, Protocol

from serving.errors import InputError
from serving.storage.import_record import RejectedRow

COLUMNS = ("row", "field", "reason", "code")


class RejectedRows(Protocol):
    """Keeps the rows that were refused."""

    def add(self, row: RejectedRow) -> None:
        """Keep a row."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class RejectedFiles:
    """A `FILE.rejected.csv` beside each file that has rejected rows."""

    def __init__(self, paths: list[Path]) -> None:
        self._files: dict[int, IO[str]] = {}
        self._paths = [path.with_name(f"{path.name}.rejected.csv") for path in paths]
        self.written: dict[int, Path] = {}

    def add(self, row: RejectedRow) -> None:
        """Write a row down.

        Raises:
            InputError: its file cannot be written.
        """
        try:
            if row.file not in self._files:
                path = self._paths[row.file]
                self._files[row.file] = path.open("w", encoding="utf-8", newline="")
                self.written[row.file] = path
                csv.writer(self._files[row.file]).writerow(COLUMNS)
            csv.writer(self._files[row.file]).writerow(
                (row.number, row.field, row.reason, row.code)
            )
        except OSError as error:
            raise InputError(
                f"{self._paths[row.file]} cannot be written ({error.strerror}); copy the file to "
                "a folder that you may write to"
            ) from None

    def close(self) -> None:
        """Close the files; those of an earlier run that no longer apply are removed."""
        for file in self._files.values():
            file.close()
        for place, path in enumerate(self._paths):
            if place not in self.written and path.is_file() and _is_ours(path):
                path.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().strip() == ",".join(COLUMNS).encode()
