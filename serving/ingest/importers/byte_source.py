"""The bytes of a file, whether it is compressed or not, and never more of them than is allowed."""

import bz2
import gzip
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from serving.errors import InputError

HEAD = 65_536
_MOST_BYTES = 64 * 2**30
_FREE_BYTES = 256 * 2**20  # that a compressed file may hold whatever its size
_MOST_RATIO = 200  # text compresses to a hundredth at best; a bomb to a thousandth
# What the standard library raises for compressed data that is damaged or needs a password.
_CUT = (EOFError, OSError, RuntimeError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)

_OPENERS: dict[bytes, tuple[str, Callable[[IO[bytes]], object]]] = {
    b"\x1f\x8b": ("gzip", lambda raw: gzip.GzipFile(fileobj=raw)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
}

_UNPACK = "unpack it and give the files"
_EXPORT = "export the comments as CSV or JSON"
# How files begin that are often mistaken for tables.
_REFUSED: dict[bytes, tuple[str, str]] = {
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": ("a rar archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", _UNPACK),
    b"%PDF-": ("a PDF", _EXPORT),
    b"\x89PNG": ("a picture", _EXPORT),
    b"\xff\xd8\xff": ("a picture", _EXPORT),
    b"GIF8": ("a picture", _EXPORT),
    b"SQLite format 3\0": ("an SQLite database", _EXPORT),
    b"<!DOCTYPE": ("a web page", _EXPORT),
    b"<!doctype": ("a web page", _EXPORT),
    b"<html": ("a web page", _EXPORT),
    b"<?xml": ("XML", _EXPORT),
    b"version https://git-lfs": ("a pointer of Git LFS", "fetch the file with git lfs pull"),
}


class CutOff(InputError):
    """Compressed data that breaks off, or holds far more than is allowed."""


class ByteSource:
    """A file that can be opened several times.

    Attributes:
        path: the file.
        label: what people call it.
        name: its name without the ending of a compression.
        compression: "gzip", "bzip2", "xz", "zip" or None.
        head: the first bytes of its content, at most `HEAD`.
        size: bytes of the file as it is stored.
    """

    def __init__(self, path: Path, name: str, spool: Path | None = None) -> None:
        """Look at the file.

        Args:
            path: where it is.
            name: what people call it.
            spool: the folder where it is unpacked; None for the system's temporary folder.

        Raises:
            InputError: there is no such file, it is a folder, empty, or cannot be read.
        """
        self.path, self.label, self._spool = path, name, spool
        self.compression: str | None = None
        if not path.exists():
            raise InputError(f"there is no file {name}")
        if path.is_dir():
            raise InputError(f"{name} is a folder; give the files in it, one by one")
        try:
            self.size = path.stat().st_size
            if self.size == 0:
                raise InputError(f"{name} is empty")
            with path.open("rb") as raw:
                start = raw.read(8)
            self._member = self._find(start)
            with self.open() as data:
                self.head = data.read(HEAD)
        except _CUT as error:
            raise InputError(f"{name} cannot be read: {_reason(error)}") from None
        if not self.head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
            raise InputError(f"{name} is empty")
        self._check_kind()

    def _check_kind(self) -> None:
        """Raise `InputError` for what holds no comments, whatever its name says."""
        for magic, (what, fix) in _REFUSED.items():
            if self.head.startswith(magic):
                raise InputError(f"{self.label} is {what}; {fix}")
        if self.head[257:262] == b"ustar":
            raise InputError(f"{self.label} is a tar archive; {_UNPACK}")
        if self.compression and any(self.head.startswith(magic) for magic in _OPENERS):
            raise InputError(f"{self.label} is compressed twice; {_UNPACK}")

    def _find(self, start: bytes) -> str | None:
        """Set `compression` and `name`; returns the file to read in a zip archive."""
        name = self.label
        for magic, (kind, _) in _OPENERS.items():
            if start.startswith(magic):
                self.compression = kind
                name = name.removesuffix(Path(name).suffix) if "." in name else name
        member = None
        if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            with zipfile.ZipFile(self.path) as archive:
                names = archive.namelist()
                if any(member.flag_bits & 1 for member in archive.infolist()):
                    raise InputError(
                        f"{self.label} needs a password; unpack it and give the file in it"
                    )
            if not {"[Content_Types].xml", "mimetype"} & set(names):
                member = self._only(names)
                self.compression, name = "zip", Path(member).name
        self.name = name
        return member

    def _only(self, names: list[str]) -> str:
        found = [
            name
            for name in names
            if not name.endswith("/")
            and not name.startswith("__MACOSX/")
            and not Path(name).name.startswith(".")
        ]
        if len(found) != 1:
            shown = ", ".join(found[:5]) or "nothing"
            raise InputError(
                f"{self.label} holds {len(found)} files ({shown}); unpack it and give the files"
            )
        return found[0]

    @contextmanager
    def open(self) -> Iterator["BoundedStream"]:
        """The content as a stream of bytes, from its beginning."""
        with self.path.open("rb") as raw:
            yield BoundedStream(self, raw, self._decompressed(raw))

    def _decompressed(self, raw: BinaryIO) -> IO[bytes]:
        if self._member is not None:
            return zipfile.ZipFile(raw).open(self._member)
        for kind, opener in _OPENERS.values():
            if kind == self.compression:
                return cast("IO[bytes]", opener(raw))
        return raw

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """A path to the content, for libraries that want a file; unpacked while it is in use."""
        if self.compression is None:
            yield self.path
            return
        with tempfile.NamedTemporaryFile(prefix="unpacked-", dir=self._spool) as unpacked:
            with self.open() as data:
                while chunk := data.read(2**20):
                    unpacked.write(chunk)
            unpacked.flush()
            yield Path(unpacked.name)


class BoundedStream(io.RawIOBase):
    """Decompressed bytes, counted; stops where a file unpacks to far more than it is."""

    def __init__(self, source: ByteSource, raw: BinaryIO, data: IO[bytes]) -> None:
        super().__init__()
        self._source, self._raw, self._data = source, raw, data
        self._count = 0

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes.

        Raises:
            CutOff: the compressed data breaks off or unpacks to too much.
        """
        if size < 0:
            size = 2**20
        try:
            chunk = self._data.read(size)
        except _CUT as error:
            raise CutOff(
                f"the {self._source.compression or 'file'} data breaks off ({_reason(error)}); "
                "fetch or write the file again"
            ) from None
        self._count += len(chunk)
        if self._source.compression and self._count > min(
            _MOST_BYTES, max(_FREE_BYTES, self._source.size * _MOST_RATIO)
        ):
            raise CutOff(
                f"the file unpacks to more than {_MOST_RATIO} times its size; unpack it yourself "
                "if that is right"
            )
        return chunk

    def readinto(self, buffer: object) -> int:
        """Fill a buffer; see `read`."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        chunk = self.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def fraction(self) -> float:
        """How much of the stored file has been read, in [0, 1]."""
        return 1.0 if self._raw.closed else min(self._raw.tell() / self._source.size, 1.0)


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or "it is damaged"
