"""The files of a watched folder: which is next, what is in it, and where it goes afterwards.

Everything here blocks; a source calls it in a thread.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from serving.errors import InputError, InvalidComment
from serving.ingest.comment import parse_comment
from serving.ingest.importers.comment_source import CommentSource
from serving.ingest.importers.file_reader import FileReader, to_line
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.rejected import RejectedFiles
from serving.ingest.importers.sorted_runs import SortedRuns
from serving.sources.faults import AccountGone, Misconfigured, PermissionLost
from serving.sources.source_batch import SourceComment
from serving.storage.import_record import ImportCount
from serving.storage.kol_store import KnownKols

DONE, FAILED = "done", "failed"
_SETTLED = timedelta(seconds=10)  # without a change, after which a file is taken for whole
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A file as it is now; another file under the same name is another one.

    Attributes:
        name: in the folder.
        size: bytes.
        changed: when it was last changed, nanoseconds since 1970.
    """

    name: str
    size: int
    changed: int


class FileContents:
    """The comments of a file by time, and the rows that could not be read.

    Attributes:
        file: which one.
        row: how many comments were taken.
        count: what was read.
    """

    def __init__(
        self,
        folder: Path,
        file: WatchedFile,
        spool: Path,
        options: ImportOptions,
        known: KnownKols,
        now: datetime,
    ) -> None:
        """Read and sort a file.

        Args:
            folder: the watched one.
            file: of it.
            spool: a folder of its own for sorted rows.
            options: how it is read.
            known: KOLs that comments may name.
            now: the present instant.

        Raises:
            InputError: it cannot be read as a whole.
        """
        self.file = file
        self.row = 0
        self.count = ImportCount()
        done = folder / DONE
        done.mkdir(exist_ok=True)
        shutil.rmtree(spool, ignore_errors=True)  # of a process that was killed
        spool.mkdir()
        self._spool = spool
        runs = SortedRuns(spool)
        rejected = RejectedFiles([done / file.name])
        reader = FileReader(options, now, known, self.count, rejected, runs)
        try:
            reader.read(folder / file.name, file.name)
        except BaseException:
            self.close()
            raise
        rejected.close()
        self._rows: Iterator[bytes] = (row.line for row in runs.rows())

    def skip(self, rows: int) -> None:
        """Pass over comments that were taken before."""
        self.row += sum(1 for _ in islice(self._rows, rows))

    def take(self, most: int) -> list[SourceComment]:
        """The next comments; fewer than `most` are the last ones."""
        found = [_comment(json.loads(line)) for line in islice(self._rows, most)]
        self.row += len(found)
        return found

    def close(self) -> None:
        """Delete what was written to sort it."""
        shutil.rmtree(self._spool, ignore_errors=True)


def check_folder(path: Path, allowed: Collection[Path]) -> Path:
    """The folder itself, without links.

    Args:
        path: as it was entered.
        allowed: folders in which sources may read.

    Raises:
        Misconfigured: it is in none of those.
        AccountGone: it is not there.
        PermissionLost: the service may not write into it.
    """
    try:
        found = path.resolve(strict=True)
    except OSError as error:
        raise AccountGone(
            f"the folder {path} cannot be found: {error.strerror}",
            remedy="create the folder, or mount it again; what is in it is read then",
        ) from None
    if not any(found == one or one in found.parents for one in _resolved(allowed)):
        listed = ", ".join(map(str, allowed)) or "none"
        raise Misconfigured(
            f"the service may not read {path}; it may read the folders {listed}",
            remedy="add the folder to GROUNDSWELL_WATCHED_FOLDERS and start the service again",
        )
    if not found.is_dir():
        raise Misconfigured(f"{path} is no folder", remedy="enter the folder that files come to")
    if not os.access(found, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionLost(
            f"the service may not write into {path}",
            remedy=f"let the service's user read and write the folder: it moves files that it has"
            f" read to {DONE}/",
        )
    return found


def next_file(folder: Path, now: datetime) -> WatchedFile | None:
    """The file that was changed first of those that nobody writes any more."""
    ready = [
        file for file in files_of(folder) if file.changed <= (now - _SETTLED).timestamp() * 1e9
    ]
    return min(ready, key=lambda file: (file.changed, file.name), default=None)


def files_of(folder: Path) -> list[WatchedFile]:
    """The files of a folder that are meant for the service."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if not _is_text(name):
                _set_aside(folder, name)
                continue
            if name.startswith((".", "~")) or name.lower().endswith(_UNFINISHED):
                continue
            # A link could lead to any file of the machine.
            if entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                found.append(WatchedFile(name, stat.st_size, stat.st_mtime_ns))
    return found


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _set_aside(folder: Path, name: str) -> None:
    """Move a file whose name is not UTF-8, which no database takes, to the failed ones."""
    target = folder / FAILED
    target.mkdir(exist_ok=True)
    shown = _free_name(target, os.fsencode(name).decode("utf-8", "backslashreplace"))
    (target / f"{shown}.error.txt").write_text("its name is not UTF-8\n", encoding="utf-8")
    (folder / name).rename(target / shown)


def move(folder: Path, file: WatchedFile, to: str, why: str | None = None) -> None:
    """Move a file out of the way; does nothing if it is another one by now.

    Args:
        folder: the watched one.
        file: of it.
        to: `DONE` or `FAILED`.
        why: what is written beside it.
    """
    if file not in files_of(folder):
        return
    target = folder / to
    target.mkdir(exist_ok=True)
    name = _free_name(target, file.name)
    if why is not None:
        (target / f"{name}.error.txt").write_text(f"{why}\n", encoding="utf-8")
    (folder / file.name).rename(target / name)


def first_comments(
    path: Path, options: ImportOptions, known: KnownKols, now: datetime, most: int
) -> list[SourceComment]:
    """The first comments of a file, in its own order; rows that are refused are passed over.

    Raises:
        InputError: it cannot be read as a whole.
    """
    source = CommentSource(path, path.name, options)
    found: list[SourceComment] = []
    try:
        for row in source.rows():
            for item in source.items(row) if row.cells is not None else ():
                with suppress(InvalidComment):
                    parsed = parse_comment(item, now=now, times=source.times, known=known)
                    found.append(_comment(json.loads(to_line(parsed))))
            if len(found) >= most:
                break
    finally:
        source.close()
    return found[:most]


def _free_name(folder: Path, name: str) -> str:
    stem, ending = Path(name).stem, Path(name).suffix
    found, number = name, 1
    while (folder / found).exists():
        found, number = f"{stem}-{number}{ending}", number + 1
    return found


def _resolved(folders: Collection[Path]) -> list[Path]:
    return [one.resolve() for one in folders]


def _comment(item: dict[str, object]) -> SourceComment:
    removed = item.pop("deleted", False)
    return SourceComment(removed=bool(removed), **item)  # type: ignore[arg-type]


def read_error(error: InputError | OSError) -> str:
    """Why a file could not be read, in plain words."""
    return str(error) if isinstance(error, InputError) else f"it cannot be read: {error.strerror}"
