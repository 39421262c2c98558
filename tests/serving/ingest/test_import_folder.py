"""The folder of imports is deleted at the end, also of a process that was killed."""

import fcntl
import multiprocessing
import os
import shutil
import signal
import tempfile
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from serving.ingest.import_folder import import_folder


def _hold(parent: Path, is_there: Event) -> None:
    with import_folder(parent) as folder:
        (folder / "upload").write_bytes(b"x")
        is_there.set()
        signal.pause()


def test_what_a_killed_process_left_is_deleted_and_what_one_holds_is_not(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    is_there = context.Event()
    process = context.Process(target=_hold, args=(tmp_path, is_there))
    process.start()
    assert is_there.wait(30)
    (held,) = tmp_path.iterdir()
    with import_folder(tmp_path) as own:
        assert {*tmp_path.iterdir()} == {held, own}
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with import_folder(tmp_path) as other:
            assert {*tmp_path.iterdir()} == {own, other}
    assert list(tmp_path.iterdir()) == []


def test_a_link_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.mkdir()
    (tmp_path / "groundswell-imports-x").symlink_to(target)
    with import_folder(tmp_path):
        pass
    assert target.is_dir()


@pytest.mark.parametrize("moment", ["made", "opened"])
def test_a_folder_that_another_start_deletes_before_it_is_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    make, lock = tempfile.mkdtemp, fcntl.flock
    left = [moment]

    def made(**options: str) -> str:
        name = make(**options)
        if left == ["made"]:
            left.clear()
            shutil.rmtree(name)
        return name

    def locked(descriptor: int, how: int) -> None:
        if left == ["opened"]:
            left.clear()
            shutil.rmtree(next(tmp_path.iterdir()))
        lock(descriptor, how)

    monkeypatch.setattr(tempfile, "mkdtemp", made)
    monkeypatch.setattr(fcntl, "flock", locked)
    with import_folder(tmp_path) as folder:
        assert left == []
        (folder / "upload").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []
