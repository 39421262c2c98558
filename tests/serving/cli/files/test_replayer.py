"""A file into a service: what is sent, in which order, and what happens when things go wrong."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from groundswell_client._async import connection
from groundswell_client.errors import ConnectionLost
from serving.cli.files import replayer as replay_module
from serving.cli.files.readers import CommentFile
from serving.cli.files.replay_count import ReplayCount
from serving.cli.files.replayer import replay
from tests.client.fake_service import FakeService

START = datetime(2026, 3, 1, tzinfo=UTC)


def comment_file(path: Path, hours: list[float], **extra: object) -> CommentFile:
    with path.open("w") as lines:
        for number, hour in enumerate(hours):
            item = {
                "platform": "tiktok",
                "comment_id": f"c{number}",
                "kol_id": f"kol{number % 2}",
                "text": "héllo \ud83d\ude00",
                "created_at": (START + timedelta(hours=hour)).isoformat(),
            }
            lines.write(json.dumps(item | extra) + "\n")
    return CommentFile(path)


async def send(file: CommentFile, service: FakeService, speed: float | None = None) -> ReplayCount:
    count = ReplayCount()
    with file:
        await replay(file, service.client(), speed=speed, count=count)
    return count


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeping takes no time, but the loop's clock moves; every nap is recorded."""
    taken: list[float] = []
    passed = [0.0]

    async def sleep(seconds: float) -> None:
        taken.append(seconds)
        passed[0] += seconds

    class FakeLoop:
        def time(self) -> float:
            return passed[0]

    monkeypatch.setattr(replay_module.asyncio, "sleep", sleep)
    monkeypatch.setattr(replay_module.asyncio, "get_running_loop", FakeLoop)
    return taken


async def test_max_speed_keeps_file_order_and_batches(tmp_path: Path) -> None:
    service = FakeService()
    hours = [(1200 - n) / 10 for n in range(1201)]
    count = await send(comment_file(tmp_path / "c.ndjson", hours), service)
    assert service.batches == [500, 500, 201]
    assert list(service.seen) == [f"c{n}" for n in range(1201)]
    assert (count.accepted, count.duplicates, count.rejected) == (1201, 0, 0)
    assert count.kol_ids == {"kol0", "kol1"}
    assert (count.first, count.last) == (START, START + timedelta(hours=120))


async def test_twice_is_all_duplicates(tmp_path: Path) -> None:
    service = FakeService()
    await send(comment_file(tmp_path / "c.ndjson", [1, 2, 3]), service)
    count = await send(comment_file(tmp_path / "c.ndjson", [1, 2, 3]), service)
    assert (count.accepted, count.duplicates) == (0, 3)


async def test_bad_rows_are_counted_named_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "platform,comment_id,kol_id,text,created_at\n"
        "tiktok,1,a,fine,2026-03-01T10:00:00Z\n"
        "tiktok,2,a,when?,soon\n"
        "tiktok,,a,no id,2026-03-01T10:00:00Z\n"
        "tiktok,4,a,future,2027-03-01T10:00:00Z\n"
        "tiktok,5,a,fine,2026-03-01T10:00:00Z\n"
    )
    service = FakeService()
    count = await send(CommentFile(path), service)
    assert (count.accepted, count.rejected, count.unreadable) == (2, 2, 1)
    assert [fault.partition(":")[0] for fault in count.faults] == ["line 3", "line 4", "line 5"]
    assert "future" in count.faults[2]


async def test_only_the_first_faults_are_kept(tmp_path: Path) -> None:
    count = await send(comment_file(tmp_path / "c.ndjson", [1] * 30, kol_id=""), FakeService())
    assert (count.rejected, len(count.faults)) == (30, 5)


async def test_live_speed_sorts_and_keeps_the_pace(tmp_path: Path, naps: list[float]) -> None:
    service = FakeService()
    file = comment_file(tmp_path / "c.ndjson", [3, 1, 2, 1])
    count = await send(file, service, speed=3600)
    assert (count.total, count.done) == (4, 1.0)
    assert list(service.seen) == ["c1", "c3", "c2", "c0"]
    assert service.batches == [2, 1, 1]
    assert naps == pytest.approx([1.0, 1.0])


async def test_sorting_spills_to_disk(
    tmp_path: Path, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "_RUN", 4)
    hours = [float(n * 7 % 13) for n in range(13)]
    service = FakeService()
    await send(comment_file(tmp_path / "c.ndjson", hours), service, speed=1e9)
    order = [str(item["created_at"]) for item in service.seen.values()]
    assert order == sorted(order)
    assert len(order) == 13


async def test_busy_service_is_asked_again_when_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(connection.asyncio, "sleep", sleep)
    refusals = iter([httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(429)])
    service = FakeService(lambda _: next(refusals, None))
    count = await send(comment_file(tmp_path / "c.ndjson", [1]), service)
    assert waits == [7.0, 1.0]
    assert count.accepted == 1


async def test_lost_connection_says_so_and_keeps_the_count(tmp_path: Path) -> None:
    answered = 0

    def drop(request: httpx.Request) -> None:
        nonlocal answered
        answered += 1
        if answered == 2:
            raise httpx.ReadError("reset by peer", request=request)

    count = ReplayCount()
    with (
        comment_file(tmp_path / "c.ndjson", [1.0] * 800) as file,
        pytest.raises(ConnectionLost, match=r"connection to http://test was lost \(reset"),
    ):
        await replay(file, FakeService(drop).client(), speed=None, count=count)
    assert count.sent == 500
