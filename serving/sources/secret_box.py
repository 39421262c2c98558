"""Secrets of sources: encrypted in the database, or named by environment variable or file."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from serving.errors import StoreError
from serving.sources.faults import Misconfigured

ENV_PREFIX = "GROUNDSWELL_SOURCE_"
_ENV, _FILE = "env:", "file:"
_MOST_BYTES = 16_384


class SecretBox:
    """Encrypts with the key of a file, which is made when it is first needed."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        self._key: Fernet | None = None

    def seal(self, secrets: Mapping[str, str]) -> bytes | None:
        """Encrypt secrets; None if there are none. Blocking.

        Raises:
            StoreError: the key cannot be read or made.
        """
        if not secrets:
            return None
        return self._fernet(make=True).encrypt(msgspec.json.encode(dict(secrets)))

    def open(self, sealed: bytes | None) -> dict[str, str]:
        """The secrets again. Blocking.

        Raises:
            Misconfigured: the key is not there, or they were encrypted with another.
        """
        if sealed is None:
            return {}
        remedy = f"put the former {self._key_file} back, or enter the source's secrets again"
        try:
            plain = self._fernet(make=False).decrypt(sealed)
        except InvalidToken:
            raise Misconfigured(
                f"the secrets were encrypted with another key than that in {self._key_file}",
                remedy=remedy,
            ) from None
        except StoreError as error:
            raise Misconfigured(str(error), remedy=remedy) from None
        return msgspec.json.decode(plain, type=dict[str, str])

    def _fernet(self, *, make: bool) -> Fernet:
        if self._key is None:
            self._key = _read_key(self._key_file, make=make)
        return self._key


def _read_key(path: Path, *, make: bool) -> Fernet:
    try:
        if make and not path.exists():
            _make_key(path)
        return Fernet(path.read_bytes().strip())
    except OSError as error:
        raise StoreError(f"source_key_file {path} cannot be read: {error}") from None
    except ValueError:
        raise StoreError(f"source_key_file {path} holds no key; put the former file back") from None


def _make_key(path: Path) -> None:
    """Write a new key, whole or not at all; the first of two who do so at once wins."""
    descriptor, made = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        Path(made).unlink()


def is_reference(value: str) -> bool:
    """Whether a secret names where it is, so that it may be shown."""
    return value.startswith((_ENV, _FILE))


def check_reference(value: str) -> str | None:
    """What is wrong with how a secret names where it is; None if nothing is."""
    name = value.partition(":")[2]
    if value.startswith(_ENV) and not name.startswith(ENV_PREFIX):
        return f"names the variable {name!r}; only those that begin with {ENV_PREFIX} may be used"
    if value.startswith(_FILE) and (not name or Path(name).name != name or name in {".", ".."}):
        return f"names the file {name!r}; give its name in the folder of source_secrets, no path"
    return None


def resolved(
    secrets: Mapping[str, str], variables: Mapping[str, str], folder: Path | None
) -> dict[str, str]:
    """Secrets with what those mean that name a variable or a file. Blocking.

    Args:
        secrets: by their names in the spec.
        variables: the environment.
        folder: where secrets may be; None if in no file.

    Raises:
        Misconfigured: one is not there.
    """
    return {name: _resolve(name, value, variables, folder) for name, value in secrets.items()}


def _resolve(name: str, value: str, variables: Mapping[str, str], folder: Path | None) -> str:
    if not is_reference(value):
        return value
    if (wrong := check_reference(value)) is not None:
        raise Misconfigured(f"{name} {wrong}")
    where = value.partition(":")[2]
    if value.startswith(_ENV):
        if not (found := variables.get(where, "").strip()):
            raise Misconfigured(
                f"{name}: the environment variable {where} is not set",
                remedy=f"set {where} and restart the service, or enter the secret itself",
            )
        return found
    if folder is None:
        raise Misconfigured(
            f"{name} names a file, but no folder of secrets is set",
            remedy="set GROUNDSWELL_SOURCE_SECRETS to the folder, and restart the service",
        )
    try:
        with (folder / where).open("rb") as file:
            found = file.read(_MOST_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{name}: the file {where} cannot be read: {error}") from None
    if not found:
        raise Misconfigured(f"{name}: the file {where} is empty")
    return found
