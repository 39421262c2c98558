"""Signatures of webhooks: HMAC over the body, with and without a time."""

import base64
import binascii
import contextlib
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from serving.sources.faults import UnverifiedRequest

ALGORITHMS = {"sha256": hashlib.sha256, "sha1": hashlib.sha1, "sha512": hashlib.sha512}


def verify_hmac(
    secret: str,
    signed: bytes,
    signature: str | None,
    *,
    algorithm: str = "sha256",
    prefix: str = "",
) -> None:
    """Check a signature in hex or base64.

    Args:
        secret: that both sides know.
        signed: what was signed, often the body as it was sent.
        signature: as the header has it; None if the header is missing.
        algorithm: a key of `ALGORITHMS`.
        prefix: what is before the signature, such as "sha256=".

    Raises:
        UnverifiedRequest: it is missing or wrong.
    """
    if not signature or not signature.startswith(prefix):
        raise UnverifiedRequest("the request has no signature")
    written = signature.removeprefix(prefix).strip()
    digest = hmac.new(secret.encode(), signed, ALGORITHMS[algorithm]).digest()
    if not any(hmac.compare_digest(digest, one) for one in _bytes_of(written)):
        raise UnverifiedRequest("the signature is wrong")


def verify_time(written: str | None, now: datetime, tolerance: timedelta) -> datetime:
    """Check that a request was signed a short time ago.

    Args:
        written: seconds or milliseconds since 1970, or ISO 8601 with a zone.
        now: the present instant.
        tolerance: how far the time may be from it, in either direction.

    Returns:
        The time.

    Raises:
        UnverifiedRequest: it is missing, cannot be read, or lies too far from now.
    """
    at = _read_time(written or "")
    if at is None:
        raise UnverifiedRequest("the request does not say when it was signed")
    if abs(now - at) > tolerance:
        raise UnverifiedRequest("the request was signed too long ago, or in the future")
    return at


def _read_time(written: str) -> datetime | None:
    try:
        seconds = float(written)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return None if found.tzinfo is None else found


def _bytes_of(written: str) -> list[bytes]:
    """What a text may be in hex or in base64 of either alphabet."""
    found = []
    with contextlib.suppress(ValueError):
        found.append(bytes.fromhex(written))
    try:
        padded = written + "=" * (-len(written) % 4)
        found.append(base64.b64decode(padded.translate(_URL_SAFE), validate=True))
    except (binascii.Error, ValueError):
        pass
    return found


_URL_SAFE = str.maketrans("-_", "+/")
