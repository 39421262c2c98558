"""The admin key that the first start makes, in a file that only the service's user can read."""

import os
import stat
from pathlib import Path

from sqlalchemy import make_url

from serving.access.key import ApiKey, new_key, parse_key
from serving.errors import ServingError
from serving.settings import Settings

ADMIN_KEY_FILE = "groundswell-admin.key"


class KeyFileError(ServingError):
    """The file of the admin key cannot be written, or what is in it cannot be used."""

    code = "key_file"


def admin_key_path(settings: Settings) -> Path:
    """Where the admin key is written: beside a SQLite file, else in the working directory."""
    if settings.admin_key_file is not None:
        return settings.admin_key_file
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).parent / ADMIN_KEY_FILE
    return Path(ADMIN_KEY_FILE)


def first_key(path: Path, *, trusted: bool) -> tuple[ApiKey, bool]:
    """The admin key of a new database; blocking.

    A key that is in the file already is taken: the service may have died after it wrote the file,
    or whoever deploys it has chosen the key.

    Args:
        path: the file.
        trusted: whether the operator named the file. Any other must be one that only this user
            could have written.

    Returns:
        The key, and whether it was written now.

    Raises:
        KeyFileError: the file cannot be written, or holds no key that can be taken.
    """
    key = new_key()
    try:
        # The file appears whole or not at all, and never replaces another: a link fails if the
        # name is taken, also by a symbolic link.
        temporary = path.with_name(f".{path.name}.{key.key_id}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{key.written}\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path, follow_symlinks=False)
        finally:
            temporary.unlink()
    except FileExistsError:
        return _existing(path, trusted=trusted), False
    except OSError as error:
        if trusted and path.exists():  # in a folder that cannot be written, such as a secret's
            return _existing(path, trusted=trusted), False
        raise KeyFileError(
            f"the admin key cannot be written to {path} ({error.strerror}); name a file in a "
            "folder that can be written with GROUNDSWELL_ADMIN_KEY_FILE"
        ) from None
    return key, True


def _existing(path: Path, *, trusted: bool) -> ApiKey:
    try:
        descriptor = os.open(path, os.O_RDONLY | (0 if trusted else os.O_NOFOLLOW))
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            found = os.fstat(file.fileno())
            text = file.read(1000)
    except OSError as error:
        raise KeyFileError(
            f"the admin key file {path} is there already and cannot be read ({error.strerror}); "
            "move it away, or name another with GROUNDSWELL_ADMIN_KEY_FILE"
        ) from None
    others = stat.S_IWGRP | stat.S_IWOTH if trusted else stat.S_IRWXG | stat.S_IRWXO
    if found.st_mode & others or not (trusted or found.st_uid == os.geteuid()):
        raise KeyFileError(
            f"the admin key file {path} is there already, and others could have written or read "
            "it; move it away, or make it yours alone: chmod 600"
        )
    key = parse_key(text.strip())
    if key is None:
        raise KeyFileError(
            f"the file {path} is there already and holds no key; move it away, or name another "
            "with GROUNDSWELL_ADMIN_KEY_FILE"
        )
    return key
