"""Passwords: made, hashed with argon2, compared."""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from serving.errors import InvalidRequest, RateLimited

SHORTEST, LONGEST = 12, 256  # characters
_MOST_WAITING = 16  # comparisons, each of about a tenth of a second, and one at a time
_FEWEST_DIFFERENT = 5  # characters
_SHORTEST_WORD = 4  # of a name or an address that may not be in a password
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
_GROUPS, _GROUP = 5, 4
T = TypeVar("T")


class Passwords:
    """Hashes passwords, one at a time, so that many at once take neither the memory nor the cores
    that detection needs.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Prepare.

        Args:
            hasher: argon2id with the parameters of new hashes.
        """
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=64 * 1024, parallelism=1)
        self._nobody = _hash_of_nobody(self._hasher)
        self._one = asyncio.Lock()
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The hash of a password, to be stored.

        Raises:
            RateLimited: too many wait already.
        """
        return await self._run(self._hasher.hash, plain(password))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether this is the hash of a password.

        Without a hash it takes as long, and the answer is no.

        Raises:
            RateLimited: too many wait already.
        """
        wanted = self._nobody if password_hash is None else password_hash
        right = await self._run(self._compare, wanted, plain(password))
        return right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than new ones are."""
        return self._hasher.check_needs_rehash(password_hash)

    def _compare(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= _MOST_WAITING:
            raise RateLimited("too many people sign in at once; try again soon", retry_after=5)
        self._waiting += 1
        try:
            async with self._one:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1


def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """A hash that no password has, and that takes as long to compare as any other."""
    parameters = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, value = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19${parameters}${salt}${value}"


def plain(password: str) -> str:
    """A password in the one form that is hashed: keyboards write the same letter differently."""
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST])


def new_password() -> str:
    """A password of 99 random bits that can be read aloud."""
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)
    )


def check(password: str, words: Iterable[str], *, field: str = "new_password") -> None:
    """Refuse a password that is easily guessed.

    Args:
        password: what somebody wants as their password.
        words: what others know of them: their name and address.
        field: where it was given.

    Raises:
        InvalidRequest: it is too short, too long, or made of what others know.
    """
    written = plain(password)
    if not SHORTEST <= len(written) <= LONGEST:
        raise _unfit(f"use {SHORTEST} to {LONGEST} characters", field)
    if len(set(written)) < _FEWEST_DIFFERENT:
        raise _unfit(f"use at least {_FEWEST_DIFFERENT} different characters", field)
    lower = written.casefold()
    for word in words:
        for part in plain(word).casefold().replace("@", " ").split():
            if len(part) >= _SHORTEST_WORD and part in lower:
                raise _unfit("do not use your name or e-mail address in it", field)


def _unfit(advice: str, field: str) -> InvalidRequest:
    return InvalidRequest("invalid_parameter", f"{field}: {advice}", field=field)
