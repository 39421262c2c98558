"""The file of the admin key: only its owner can read it, and nothing planted there is taken."""

import os
import stat
from pathlib import Path

import pytest

from serving.access.first_key import KeyFileError, admin_key_path, first_key
from serving.access.key import new_key
from serving.access.rate_limiter import RateLimiter
from serving.settings import Settings


def test_the_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        key, written = first_key(tmp_path / "a.key", trusted=False)
    finally:
        os.umask(before)
    assert written
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert (tmp_path / "a.key").read_text() == f"{key.written}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.key"]


def test_a_start_that_died_after_writing_the_file_takes_its_key(tmp_path: Path) -> None:
    key, _ = first_key(tmp_path / "a.key", trusted=False)
    assert first_key(tmp_path / "a.key", trusted=False) == (key, False)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o660])
def test_a_file_that_others_can_read_or_write_is_not_taken(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.key"
    first_key(path, trusted=False)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        first_key(path, trusted=False)


def test_a_symbolic_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    planted, path = tmp_path / "planted", tmp_path / "a.key"
    planted.write_text(new_key().written)
    planted.chmod(0o600)
    path.symlink_to(planted)
    with pytest.raises(KeyFileError):
        first_key(path, trusted=False)
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(KeyFileError):
        first_key(path, trusted=False)
    assert not (tmp_path / "nowhere").exists()


def test_another_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_text("my notes")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="holds no key"):
        first_key(path, trusted=False)
    assert path.read_text() == "my notes"


def test_a_file_that_the_operator_names_may_be_readable_but_not_writable(tmp_path: Path) -> None:
    path, key = tmp_path / "a.key", new_key()
    path.write_text(key.written)
    path.chmod(0o444)
    assert first_key(path, trusted=True) == (key, False)
    path.chmod(0o666)
    with pytest.raises(KeyFileError):
        first_key(path, trusted=True)


def test_the_file_is_beside_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    settings = Settings(database_url=url, _env_file=None)
    assert admin_key_path(settings) == tmp_path / "groundswell-admin.key"
    elsewhere = settings.model_copy(update={"database_url": "postgresql://x/y"})
    assert admin_key_path(elsewhere) == Path("groundswell-admin.key")


def test_a_limit_counts_on_a_clock_that_nobody_can_set() -> None:
    now = 0.0
    limiter = RateLimiter(60, most_names=2, steady=lambda: now)
    assert [limiter.take("a") for _ in range(61)] == [0.0] * 60 + [1.0]
    assert limiter.take("b") == 0
    now = 1.0
    assert limiter.take("a") == 0
    assert limiter.take("a") == 1.0
    now = 10_000.0
    assert [limiter.take("a") for _ in range(61)] == [0.0] * 60 + [1.0]
    for name in ("c", "d"):  # pushes "a" out: no more names are known than that
        limiter.take(name)
    assert limiter.take("a") == 0
