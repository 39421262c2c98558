"""What only a folder has: files that grow, that cannot be read, that come again; links."""

import gzip
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from serving.clock import TestClock
from serving.sources.faults import AccountGone, Misconfigured
from serving.sources.platforms.folder import FolderSpec
from serving.sources.registry import source_types
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.folder import ExportFolder
from tests.sources.source_contract import comments_of, written
from tests.sources.source_harness import KOL, harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
TYPE = source_types()["folder"]


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def folder(clock: TestClock) -> AsyncIterator[ExportFolder]:
    found = ExportFolder(clock)
    await found.start()
    yield found
    await found.stop()


async def drained(folder: ExportFolder, clock: TestClock, **options: Any) -> list[str]:
    async with harness(TYPE, folder, clock, **options) as tried:
        return [one.comment_id for one in comments_of(await tried.drain())]


def names(path: Path) -> set[str]:
    """Files in the folder and those below it."""
    return {str(one.relative_to(path)) for one in path.rglob("*") if one.is_file()}


async def test_a_file_is_moved_when_its_comments_are_committed(
    folder: ExportFolder, clock: TestClock
) -> None:
    folder.publish(*written(3))
    async with harness(TYPE, folder, clock) as tried:
        batch = await tried.source.poll(None)  # type: ignore[attr-defined]
        assert len(batch.comments) == 3
        assert names(folder.path) == {"export-1.csv"}
        # Nothing was committed: it brings them again.
        assert (await tried.source.poll(None)).comments == batch.comments  # type: ignore[attr-defined]
        after = await tried.source.poll(batch.cursor)  # type: ignore[attr-defined]
        assert (after.comments, after.more) == ((), False)
    assert names(folder.path) == {"done/export-1.csv"}


async def test_reading_continues_within_a_file(folder: ExportFolder, clock: TestClock) -> None:
    times = [NOW - timedelta(seconds=2600 - n) for n in range(2500)]
    comments = [FakeComment(f"c{n}", f"Comment {n}", at) for n, at in enumerate(times)]
    folder.publish(*reversed(comments))
    found = []
    cursor: Any = None
    for _ in range(3):  # each time a new process
        async with harness(TYPE, folder, clock) as tried:
            batch = await tried.source.poll(cursor)  # type: ignore[attr-defined]
            found += [one.comment_id for one in batch.comments]
            cursor = batch.cursor
    assert found == [f"c{n}" for n in range(2500)]  # by time, not by row
    assert not (folder.path / ".groundswell").exists()


async def test_a_file_that_is_still_written_is_left(folder: ExportFolder, clock: TestClock) -> None:
    folder.publish(*written(1))
    file = folder.path / "export-1.csv"
    os.utime(file, (NOW.timestamp() - 9, NOW.timestamp() - 9))
    folder.publish(*written(1, start=1))
    (folder.path / "export-2.csv").rename(folder.path / "export-2.csv.part")
    assert await drained(folder, clock) == []
    clock.advance(timedelta(seconds=1))
    assert await drained(folder, clock) == ["c0"]
    assert names(folder.path) == {"done/export-1.csv", "export-2.csv.part"}


async def test_a_file_that_cannot_be_read_stops_no_other(
    folder: ExportFolder, clock: TestClock
) -> None:
    folder.settled_bytes("a.csv", b"nothing,of,use\n1,2,3\n")
    folder.settled_bytes("b.parquet", b"PAR1 and nothing else")
    folder.publish(*written(2))
    async with harness(TYPE, folder, clock) as tried:
        batches = await tried.drain()
    assert len(comments_of(batches)) == 2
    assert len([why for batch in batches for why in batch.unreadable]) == 2
    assert names(folder.path) == {
        "done/export-1.csv",
        "failed/a.csv",
        "failed/a.csv.error.txt",
        "failed/b.parquet",
        "failed/b.parquet.error.txt",
    }
    assert "a.csv" in (folder.path / "failed/a.csv.error.txt").read_text()


async def test_rows_that_are_refused_are_written_down(
    folder: ExportFolder, clock: TestClock
) -> None:
    good, bad = (vars_of(one) for one in written(2))
    bad["created_at"] = "yesterday-ish"
    folder.export("mixed.csv", [good, bad])
    async with harness(TYPE, folder, clock) as tried:
        batches = await tried.drain()
    assert [one.comment_id for one in comments_of(batches)] == ["c0"]
    (why,) = [why for batch in batches for why in batch.unreadable]
    assert "mixed.csv, row 3" in why
    rejected = (folder.path / "done/mixed.csv.rejected.csv").read_text()
    assert rejected.splitlines()[1].startswith("3,created_at,")


def vars_of(comment: Any) -> dict[str, Any]:
    return {
        "comment_id": comment.comment_id,
        "text": comment.text,
        "created_at": comment.created_at.isoformat(),
        "author_id": comment.author_id,
    }


async def test_another_file_under_the_same_name_is_read_too(
    folder: ExportFolder, clock: TestClock
) -> None:
    for start in (0, 1):
        folder.export("daily.csv", [vars_of(one) for one in written(1, start=start)])
        assert await drained(folder, clock) == [f"c{start}"]
        clock.advance(timedelta(minutes=5))
    assert names(folder.path) == {"done/daily.csv", "done/daily-1.csv"}


async def test_the_platform_and_kol_of_a_row_count(folder: ExportFolder, clock: TestClock) -> None:
    head = "platform,kol_id,comment_id,text,created_at\n"
    row = f"tiktok,{KOL},c1,hi,2026-11-30T13:00:00Z\n"
    folder.settled_bytes("rows.csv.gz", gzip.compress((head + row).encode()))
    async with harness(TYPE, folder, clock) as tried:
        (found,) = comments_of(await tried.drain())
    assert (found.item("files", None)["platform"], found.kol_id) == ("tiktok", KOL)


async def test_links_and_other_folders_are_not_read(
    folder: ExportFolder, clock: TestClock, tmp_path: Path
) -> None:
    folder.export("secret.csv", [vars_of(one) for one in written(1)])
    secret = tmp_path / "secret.csv"
    (folder.path / "secret.csv").rename(secret)
    (folder.path / "link.csv").symlink_to(secret)
    assert await drained(folder, clock) == []
    (tmp_path / "inside").symlink_to("/etc")
    for path, folders in ((folder.path, (tmp_path,)), (tmp_path / "inside", (tmp_path,))):
        with pytest.raises(Misconfigured, match="may not read"):
            await drained(folder, clock, changes={"path": str(path)}, folders=folders)


async def test_a_folder_that_is_gone_is_said(folder: ExportFolder, clock: TestClock) -> None:
    with pytest.raises(AccountGone, match="cannot be found"):
        await drained(folder, clock, changes={"path": f"{folder.path}/none"})


async def test_what_is_shown_moves_nothing(folder: ExportFolder, clock: TestClock) -> None:
    folder.publish(*written(30))
    async with harness(TYPE, folder, clock) as tried:
        shown = await tried.source.preview()
    assert len(shown.comments) == 10
    assert names(folder.path) == {"export-1.csv"}
    folder.settled_bytes("z.csv", b"\x00")
    async with harness(TYPE, folder, clock) as tried:
        shown = await tried.source.preview()
    assert shown.sees[0].startswith("2 files are there now; the newest, z.csv, cannot be read: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"path": "exports"}, "must begin with /"),
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"preset": "nobody"}, "there is no preset 'nobody'"),
    ],
)
def test_settings_of_a_folder_that_cannot_work_are_refused(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        FolderSpec.model_validate({"path": "/srv/exports", **changes})


async def test_a_name_that_is_no_text_stops_no_other_file(
    folder: ExportFolder, clock: TestClock
) -> None:
    folder.publish(*written(1))
    odd = os.fsencode(folder.path) + b"/caf\xe9.csv"
    os.close(os.open(odd, os.O_CREAT | os.O_WRONLY))
    assert await drained(folder, clock) == ["c0"]
    assert names(folder.path) == {
        "done/export-1.csv", "failed/caf\\xe9.csv", "failed/caf\\xe9.csv.error.txt"
    }  # fmt: skip
