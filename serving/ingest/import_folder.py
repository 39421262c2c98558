"""The folder in which files wait for their import."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import make_url

_PREFIX = "groundswell-imports-"


def folder_beside(database_url: str) -> Path | None:
    """The folder of a SQLite file: it has room where the system's temporary folder may have none.

    None for another database, which has no folder here.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).absolute().parent
    return None


@contextmanager
def import_folder(parent: Path | None) -> Iterator[Path]:
    """A new folder, deleted at the end; blocking.

    Folders of services that were killed are deleted first, or each kill would leave large files.

    Args:
        parent: where it is made; None for the system's temporary folder.

    Raises:
        OSError: it cannot be made.
    """
    root = Path(tempfile.gettempdir()) if parent is None else parent
    for folder in root.glob(f"{_PREFIX}*"):
        _delete_if_left(folder)
    name, descriptor = _new_folder(root)
    try:
        yield Path(name)
    finally:
        shutil.rmtree(name, ignore_errors=True)
        os.close(descriptor)


def _new_folder(root: Path) -> tuple[str, int]:
    """A new folder, and the descriptor by which this process holds it.

    Another service that starts takes it for one that was left until it is held, and deletes it; a
    further one is made then.
    """
    while True:
        name = tempfile.mkdtemp(prefix=_PREFIX, dir=root)
        with suppress(FileNotFoundError):
            descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # ends with the process, however that ends
                Path(name).stat()
            except BaseException:
                os.close(descriptor)
                raise
            return name, descriptor


def _delete_if_left(folder: Path) -> None:
    """Delete a folder of this user that no process holds."""
    with suppress(OSError):
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(folder, flags)
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)
