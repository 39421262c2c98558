"""Connects a command to a service, with the key that is configured for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from groundswell_client import AsyncClient
from serving.addresses import is_loopback
from serving.errors import InputError
from serving.settings import environment

KEY, KEY_FILE = "GROUNDSWELL_API_KEY", "GROUNDSWELL_API_KEY_FILE"
_ADMIN_KEY_FILE = Path("groundswell-admin.key")
_chosen: list[Path] = []  # the file of --api-key-file


def choose_key_file(path: Path | None) -> None:
    """Take the key from this file, as `--api-key-file` says; None for where it is else."""
    _chosen[:] = [] if path is None else [path]


def api_key_for(url: str) -> str | None:
    """The key to send to a service; None if none is configured.

    A key is never given on the command line, where every user of the machine could read it. The
    file that the first start writes is taken for a service on this machine only, so that no other
    gets the admin's key by mistake.

    Raises:
        InputError: the file cannot be read, or holds no key.
    """
    variables = environment()
    if _chosen:
        return _read(_chosen[0])
    if key := variables.get(KEY):
        return _checked(key.strip(), KEY)
    if path := variables.get(KEY_FILE):
        return _read(Path(path))
    if is_loopback(urlsplit(url).hostname or "") and _ADMIN_KEY_FILE.is_file():
        return _read(_ADMIN_KEY_FILE)
    return None


@asynccontextmanager
async def connect(url: str, *, retries: int = 0) -> AsyncIterator[AsyncClient]:
    """A client of the service at `url`. By default it does not try twice: a person waits.

    Args:
        url: its address.
        retries: how often a request is sent again after a lost connection.

    Raises:
        InvalidAddress: `url` is not an HTTP address.
        InputError: the file of the key cannot be used.
    """
    async with AsyncClient(url, api_key=api_key_for(url), retries=retries) as client:
        yield client


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the key file {path} cannot be read: {error}") from None
    return _checked(text.strip(), str(path))


def _checked(key: str, source: str) -> str:
    if not key.startswith("gsk_") or not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(f"{source} holds no key; a key begins with gsk_")
    return key
