"""The formats there are. Each module of this folder may register one.

To add a format, add a module here that calls `register`. Nothing else names it.
"""

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType

from serving.ingest.importers.byte_source import ByteSource
from serving.ingest.importers.raw_row import ReaderOptions, RowReader


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """A format of files.

    Attributes:
        name: a short name.
        about: what it covers, for people.
        endings: of file names, without those of compressions.
        recognises: whether a file is of this format, by its first bytes and its name.
        open: a reader of a file; raises `InputError` where the file as a whole cannot be read.
        order: formats that recognise more files are asked later.
    """

    name: str
    about: str
    endings: Sequence[str]
    recognises: Callable[[ByteSource], bool]
    open: Callable[[ByteSource, ReaderOptions], RowReader]
    order: int = 0


_registered: dict[str, ImportFormat] = {}


def register(kind: ImportFormat) -> None:
    """Add a format."""
    _registered[kind.name] = kind


@cache
def formats() -> Mapping[str, ImportFormat]:
    """Every format by its name."""
    package = import_module("serving.ingest.importers")
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    return MappingProxyType(dict(sorted(_registered.items())))


def format_of(source: ByteSource) -> ImportFormat:
    """The format of a file."""
    ordered = sorted(formats().values(), key=lambda kind: kind.order)
    return next(kind for kind in ordered if kind.recognises(source))
