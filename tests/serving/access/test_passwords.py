"""Passwords: what is refused, what is stored, and that an unknown account takes as long."""

import asyncio
import unicodedata
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from serving.access import passwords as module
from serving.access.passwords import LONGEST, SHORTEST, Passwords, check, new_password
from serving.errors import InvalidRequest, RateLimited

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
WORDS = ("Mai Phương", "mai.phuong@pr.example")


@pytest.mark.parametrize(
    "password",
    [
        "a1b2c3d4e5f",
        "a" * SHORTEST,
        "abab" * 6,
        "abcdefgh" * 33,
        "the PHƯƠNG of 1999",
        "MAI.PHUONG is here",
        "only pr.example here",
    ],
)
def test_what_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(InvalidRequest, match="new_password: ") as refused:
        check(password, WORDS)
    assert refused.value.field == "new_password"


@pytest.mark.parametrize(
    "password", ["abcde" + "f" * 7, "abcde" * 51 + "f", "con mèo ăn cá 27", "mai is short"]
)
def test_what_is_not_is_taken(password: str) -> None:
    assert SHORTEST <= len(password) <= LONGEST
    check(password, WORDS)


async def test_a_password_matches_its_hash_however_the_keyboard_writes_it() -> None:
    passwords = Passwords(QUICK)
    composed = unicodedata.normalize("NFC", "mật khẩu rất dài")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    hashed = await passwords.hash(composed)
    assert hashed.startswith("$argon2id$")
    assert await passwords.matches(decomposed, hashed)
    assert not await passwords.matches(composed + "!", hashed)
    assert hashed != await passwords.hash(composed)


async def test_without_a_hash_nothing_matches_but_as_much_is_computed() -> None:
    passwords = Passwords(QUICK)
    with patch.object(PasswordHasher, "verify", autospec=True) as verify:
        assert not await passwords.matches("con mèo ăn cá 27", None)
    ((_hasher, compared, _password),) = [call.args for call in verify.call_args_list]
    assert not QUICK.check_needs_rehash(compared)
    with pytest.raises(VerifyMismatchError):  # and not for its form, which would take no time
        QUICK.verify(compared, "con mèo ăn cá 27")


async def test_a_damaged_hash_matches_nothing() -> None:
    assert not await Passwords(QUICK).matches("con mèo ăn cá 27", "$argon2id$broken")


async def test_only_so_many_wait() -> None:
    passwords = Passwords(QUICK)
    many = [passwords.matches("con mèo ăn cá 27", None) for _ in range(module._MOST_WAITING + 5)]
    found = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(one, RateLimited) for one in found) == 5
    assert not await passwords.matches("con mèo ăn cá 27", None)  # and then it goes on


async def test_a_hash_of_weaker_parameters_is_outdated() -> None:
    weak = await Passwords(QUICK).hash("con mèo ăn cá 27")
    assert Passwords().is_outdated(weak)
    assert not Passwords(QUICK).is_outdated(weak)


def test_new_passwords_are_all_different_and_good_enough() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        check(password, WORDS)
        assert len(password) == 24
