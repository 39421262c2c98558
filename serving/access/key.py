"""An API key: how it is written, made and compared."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_WRITTEN = re.compile(r"gsk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class ApiKey:
    """A key with its secret, which is never stored, logged or shown twice.

    Attributes:
        key_id: names the key; no secret.
        secret: 32 random bytes in base64url.
    """

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"ApiKey({self.key_id})"

    @property
    def written(self) -> str:
        """As it is sent: `gsk_<id>_<secret>`."""
        return f"gsk_{self.key_id}_{self.secret}"

    @property
    def secret_hash(self) -> str:
        """SHA-256 of the secret in hex.

        A secret of 256 random bits cannot be guessed, so that a slow hash would protect nothing.
        """
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def matches(self, secret_hash: str) -> bool:
        """Whether this is the hash of its secret, in a time that does not depend on where they
        differ.
        """
        return hmac.compare_digest(self.secret_hash, secret_hash)


def new_key() -> ApiKey:
    """A key that nobody has."""
    return ApiKey(secrets.token_hex(6), secrets.token_urlsafe(32))


def parse_key(written: str) -> ApiKey | None:
    """The key in a text; None if it is not one."""
    match = _WRITTEN.fullmatch(written)
    return None if match is None else ApiKey(match[1], match[2])
