"""The encoding of a text file: what its beginning says, UTF-8 where it is, else the likeliest."""

import codecs
import io
from typing import IO

from serving.errors import InputError
from serving.ingest.importers.byte_source import BoundedStream, ByteSource, CutOff

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE = 131_072
# The likelier first: of two that make about as much sense, the first is taken.
_LIKELY = (
    "cp1252", "cp1251", "cp932", "gb18030", "cp949", "big5", "cp1250", "cp1254", "cp1253",
    "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "koi8_r",
)  # fmt: skip
_CLOSE = 0.05
# Their letters are words of Korean or Thai as well; only Japanese is full of kana.
_JAPANESE = ("cp932", "euc_jp")
_MOSTLY = 0.3
_HALF = "unexpected end of data"


def find_encoding(source: ByteSource, given: str | None) -> tuple[str, bool]:
    """The encoding of a file, and whether it was guessed.

    Args:
        source: the file; without a mark of its encoding it is read once.
        given: what the user says.

    Raises:
        InputError: Python knows no such encoding.
    """
    if given is not None:
        try:
            name = codecs.lookup(given).name
        except LookupError:
            raise InputError(f"there is no encoding {given!r}; try utf-8 or cp1252") from None
        return ("utf-8-sig" if name == "utf-8" else name), False
    for mark, name in _MARKS.items():
        if source.head.startswith(mark):
            return name, False
    if (wide := _wide(source.head)) is not None:
        return wide, False
    with source.open() as data:
        odd = _not_utf8(data)
    if not odd:
        return "utf-8", False
    return _likeliest(odd), True


def _likeliest(sample: bytes) -> str:
    """Of the encodings that spreadsheets write, the one in which a sample makes most sense."""
    from charset_normalizer import from_bytes

    if japanese := next((name for name in _JAPANESE if _kana(sample, name) > _MOSTLY), None):
        return japanese
    scores: dict[str, float] = {}
    for match in from_bytes(sample, cp_isolation=list(_LIKELY)):
        for name in (match.encoding, *match.could_be_from_charset):
            if name in _LIKELY:
                scores.setdefault(name, match.coherence - 2 * match.chaos)
    best = max(scores.values(), default=0.0)
    close = (name for name in _LIKELY if scores.get(name, -9.0) >= best - _CLOSE)
    return next(close, _LIKELY[0])


def _kana(sample: bytes, encoding: str) -> float:
    """The share of kana among the letters beyond ASCII, in [0, 1]; 0 if it is not the encoding."""
    try:
        letters = [char for char in sample.decode(encoding) if not char.isascii()]
    except UnicodeDecodeError:
        return 0.0
    return sum("\u3041" <= char <= "\u30ff" for char in letters) / max(len(letters), 1)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Latin text is 0."""
    sample = head[: len(head) // 2 * 2]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > len(sample) * 0.2 and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > len(sample) * 0.2 and odd == 0 else None


def _not_utf8(data: BoundedStream) -> bytes:
    """Lines of a stream that are not UTF-8, up to `_SAMPLE` bytes; none if nearly all are."""
    odd, number, good, rest = bytearray(), 0, 0, b""
    while len(odd) < _SAMPLE:
        try:
            chunk = data.read(_SAMPLE)
        except CutOff:  # said when it is read as rows
            chunk = b""
        block = rest + chunk
        cut = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1 if chunk else len(block)
        block, rest = block[:cut], block[cut:]
        for line in block.splitlines(keepends=True) if not block.isascii() else ():
            try:
                line.decode()
            except UnicodeDecodeError as error:
                # A file that is cut off may end in half a character.
                if chunk or error.end < len(line) or error.reason != _HALF:
                    odd += line
                    number += 1
                else:
                    good += 1
            else:
                good += not line.isascii()
        if not chunk:
            break
    # Other encodings are hardly ever UTF-8 by accident. So single damaged lines are named, and the
    # rest is read.
    return b"" if good > number else bytes(odd)


def text_of(stream: BoundedStream, encoding: str) -> IO[str]:
    """Text of a stream, of which a line may end as on Unix, Windows or old Macs; ends are kept.
    Bytes that are not of the encoding become lone surrogates.
    """
    return io.TextIOWrapper(
        io.BufferedReader(stream, 2**18),
        encoding=encoding,
        errors="surrogateescape" if not encoding.startswith(("utf-16", "utf-32")) else "replace",
        newline="",
    )
