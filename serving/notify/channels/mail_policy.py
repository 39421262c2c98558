"""How the headers of e-mails are written.

The standard library breaks a long subject with encoded words in the wrong places: readers see
blanks between words that have none, or none where there is one.
"""

from base64 import b64encode
from collections.abc import Iterator
from email.policy import EmailPolicy

_BYTES = 39  # in a line: 52 characters of base64 and 12 around them, after "Subject: "


class SubjectPolicy(EmailPolicy):
    """Writes subjects that are not ASCII as encoded words (RFC 2047), each of whole characters."""

    def fold(self, name: str, value: str) -> str:
        """A header as it is sent."""
        text = str(value)
        if name.lower() != "subject" or text.isascii() or self.utf8:
            return str(super().fold(name, value))
        lines = "\r\n ".join(map(_encoded, _pieces(text)))
        return f"{name}: {lines}\r\n"

    def fold_binary(self, name: str, value: str) -> bytes:
        """A header as the bytes that are sent."""
        if name.lower() == "subject":
            return self.fold(name, value).encode()
        return super().fold_binary(name, value)


MAIL_POLICY = SubjectPolicy(linesep="\r\n")


def _encoded(piece: bytes) -> str:
    return f"=?utf-8?b?{b64encode(piece).decode()}?="


def _pieces(text: str) -> Iterator[bytes]:
    """A text in pieces that fit on a line."""
    piece = b""
    for char in text:
        encoded = char.encode()
        if len(piece) + len(encoded) > _BYTES:
            yield piece
            piece = b""
        piece += encoded
    yield piece
