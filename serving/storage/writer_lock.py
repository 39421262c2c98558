"""The lock of the one process that may write to a SQLite file."""

import fcntl
import os
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from serving.errors import StoreError

_PATIENCE = 5.0  # seconds; a process that has just been stopped may still hold it
_PAUSE = 0.05


@dataclass(slots=True)
class _Held:
    """A lock that this process holds: its open file, and how many hold it here."""

    descriptor: int
    holders: int


class WriterLock:
    """A lock of the operating system on a file beside the database, named `….lock`.

    It ends with the process, however that ends, so a crash leaves no stale lock; the file itself
    stays and means nothing. Several holders in one process share it: SQLite lets their
    transactions wait for each other.

    Args:
        database: path of the SQLite file; other names of it (symbolic links) share the lock.
    """

    _guard: ClassVar[threading.Lock] = threading.Lock()
    _of_process: ClassVar[dict[Path, _Held]] = {}

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.resolve().with_name(database.resolve().name + ".lock")
        self._held = False

    def take(self) -> None:
        """Take it, if this holder has not yet; blocking, for some seconds at most.

        Raises:
            StoreError: another process holds it, or there is no such lock on this file system.
        """
        with self._guard:
            if self._held:
                return
            held = self._of_process.get(self._path)
            if held is None:
                held = self._of_process[self._path] = _Held(self._lock(), 0)
            held.holders += 1
            self._held = True

    def give_back(self) -> None:
        """Give it back; nothing happens if it is not held."""
        with self._guard:
            if not self._held:
                return
            self._held = False
            held = self._of_process[self._path]
            held.holders -= 1
            if not held.holders:
                del self._of_process[self._path]
                os.close(held.descriptor)

    def _lock(self) -> int:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise StoreError(
                f"{self._database} cannot be written: its lock file {self._path} cannot be opened:"
                f" {error.strerror}"
            ) from None
        try:
            self._wait_for(descriptor)
            os.truncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise StoreError(
                        f"another Groundswell ({self._holder(descriptor)}) writes to"
                        f" {self._database}; stop it first, or give each service a database of"
                        " its own"
                    ) from None
                time.sleep(_PAUSE)
            except OSError as error:
                raise StoreError(
                    f"the file system of {self._path} has no file locks ({error.strerror}), so a"
                    " second writer could not be noticed; put the database on a local disk, or use"
                    " PostgreSQL"
                ) from None
            else:
                return

    def _holder(self, descriptor: int) -> str:
        holder = os.pread(descriptor, 300, 0).decode("utf-8", "replace").strip()
        return holder or "an unknown process"
