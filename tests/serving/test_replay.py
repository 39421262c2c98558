"""A file into a service: what is sent, in which order, and what happens when things go wrong."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from serving.cli.files import replayer as replay_module
from serving.cli.files.readers import CommentFile
from serving.cli.files.replayer import Tally, replay
from serving.client import client as client_module
from serving.client.client import ServiceClient, ServiceRefused, ServiceUnreachable, connect
from serving.errors import InvalidComment
from serving.ingest.comment import parse_comment

START = datetime(2026, 3, 1, tzinfo=UTC)
Answer = Callable[[httpx.Request], httpx.Response | None]


class FakeService:
    """The comments endpoint and the status, with the real validation, in memory."""

    def __init__(self, before: Answer = lambda _: None) -> None:
        self.before = before
        self.seen: dict[str, dict[str, object]] = {}
        self.batches: list[int] = []
        self.backlogs = [0]

    def client(self) -> ServiceClient:
        transport = httpx.MockTransport(self.answer)
        return ServiceClient(httpx.AsyncClient(transport=transport, base_url="http://test"))

    def answer(self, request: httpx.Request) -> httpx.Response:
        if (early := self.before(request)) is not None:
            return early
        if request.url.path == "/v1/status":
            backlog = self.backlogs.pop(0) if len(self.backlogs) > 1 else self.backlogs[0]
            log = {"last_seq": 10, "processed_seq": 10 - backlog, "backlog": backlog}
            return httpx.Response(200, json={"log": log, "alive": True})
        assert request.headers["content-type"] == "application/x-ndjson"
        lines = request.content.splitlines()
        self.batches.append(len(lines))
        counts = {"accepted": 0, "duplicates": 0, "rejected": 0}
        items = []
        for index, line in enumerate(lines):
            item = json.loads(line)
            try:
                parse_comment(item, now=datetime(2026, 3, 9, tzinfo=UTC))
            except InvalidComment as error:
                counts["rejected"] += 1
                fault = {"code": "x", "field": None, "message": str(error)}
                items.append({"index": index, "status": "rejected", "error": fault})
                continue
            counts["duplicates" if item["comment_id"] in self.seen else "accepted"] += 1
            self.seen.setdefault(item["comment_id"], item)
        if counts["rejected"] == len(lines):
            return httpx.Response(422, json=counts | {"items": items, "detail": "all bad"})
        return httpx.Response(202, json=counts | {"items": items})


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


async def send(file: CommentFile, service: FakeService, speed: float | None = None) -> Tally:
    tally = Tally()
    with file:
        await replay(file, service.client(), speed=speed, tally=tally)
    return tally


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeping takes no time, but the loop's clock moves; every nap is noted."""
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
    tally = await send(comment_file(tmp_path / "c.ndjson", hours), service)
    assert service.batches == [500, 500, 201]
    assert list(service.seen) == [f"c{n}" for n in range(1201)]
    assert (tally.accepted, tally.duplicates, tally.rejected) == (1201, 0, 0)
    assert tally.kol_ids == {"kol0", "kol1"}
    assert (tally.first, tally.last) == (START, START + timedelta(hours=120))


async def test_twice_is_all_duplicates(tmp_path: Path) -> None:
    service = FakeService()
    await send(comment_file(tmp_path / "c.ndjson", [1, 2, 3]), service)
    tally = await send(comment_file(tmp_path / "c.ndjson", [1, 2, 3]), service)
    assert (tally.accepted, tally.duplicates) == (0, 3)


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
    tally = await send(CommentFile(path), service)
    assert (tally.accepted, tally.rejected, tally.unreadable) == (2, 2, 1)
    assert [fault.partition(":")[0] for fault in tally.faults] == ["line 3", "line 4", "line 5"]
    assert "future" in tally.faults[2]


async def test_only_the_first_faults_are_kept(tmp_path: Path) -> None:
    tally = await send(comment_file(tmp_path / "c.ndjson", [1] * 30, likes=-1), FakeService())
    assert (tally.rejected, len(tally.faults)) == (30, 5)


async def test_live_speed_sorts_and_keeps_the_pace(tmp_path: Path, naps: list[float]) -> None:
    service = FakeService()
    file = comment_file(tmp_path / "c.ndjson", [3, 1, 2, 1])
    tally = await send(file, service, speed=3600)
    assert (tally.total, tally.done) == (4, 1.0)
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

    monkeypatch.setattr(client_module.asyncio, "sleep", sleep)
    refusals = iter([httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(429)])
    service = FakeService(lambda _: next(refusals, None))
    tally = await send(comment_file(tmp_path / "c.ndjson", [1]), service)
    assert waits == [7.0, 1.0]
    assert tally.accepted == 1


async def test_for_ever_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_: float) -> None:
        return

    monkeypatch.setattr(client_module.asyncio, "sleep", sleep)
    busy = httpx.Response(429, headers={"Retry-After": "100"}, json={"detail": "log is full"})
    with pytest.raises(ServiceRefused, match="429: log is full"):
        await FakeService(lambda _: busy).client().submit([{}])


async def test_lost_connection_says_so_and_keeps_the_count(tmp_path: Path) -> None:
    answered = 0

    def drop(request: httpx.Request) -> None:
        nonlocal answered
        answered += 1
        if answered == 2:
            raise httpx.ReadError("reset by peer", request=request)

    tally = Tally()
    with (
        comment_file(tmp_path / "c.ndjson", [1.0] * 800) as file,
        pytest.raises(ServiceUnreachable, match=r"connection to http://test was lost \(reset"),
    ):
        await replay(file, FakeService(drop).client(), speed=None, tally=tally)
    assert tally.sent == 500


async def test_errors_of_the_service_carry_their_detail() -> None:
    problem = httpx.Response(503, json={"detail": "the model is not loaded"})
    with pytest.raises(ServiceRefused, match="503: the model is not loaded") as caught:
        await FakeService(lambda _: problem).client().get("/status")
    assert caught.value.status == 503


async def test_nobody_there() -> None:
    async with connect("http://127.0.0.1:9") as client:
        with pytest.raises(ServiceUnreachable, match="no service answers at http"):
            await client.get("/status")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://here", "http://", "http://[::bad"])
async def test_bad_addresses(url: str) -> None:
    with pytest.raises(ServiceUnreachable, match="is no address"):
        async with connect(url):
            pass


async def test_worked_off_waits_for_the_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_POLL", 0.0)
    service = FakeService()
    service.backlogs = [7, 3, 0]
    looks: list[tuple[int, int]] = []
    await service.client().worked_off(lambda last, done: looks.append((last, done)))
    assert looks == [(10, 3), (10, 7), (10, 10)]


async def test_worked_off_gives_up_on_a_dead_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_: float) -> None:
        return

    monkeypatch.setattr(client_module.asyncio, "sleep", sleep)
    log = {"last_seq": 9, "processed_seq": 4, "backlog": 5}
    dead = FakeService(lambda _: httpx.Response(200, json={"log": log, "alive": False}))
    with pytest.raises(ServiceRefused, match="stopped working 5 comments before the end"):
        await dead.client().worked_off()


async def test_server_sent_events() -> None:
    body = (
        ": hello\n\n"
        'event: alert\nid: 7\ndata: {"alert_id":\ndata: "a"}\n\n'
        'event: mood\ndata: {"mood": 0.5}\n\n'
        'event: alert\ndata: {"cut": '
    )
    service = FakeService(lambda _: httpx.Response(200, text=body))
    events = [event async for event in service.client().events("mira")]
    assert [(e.name, e.event_id, e.data) for e in events] == [
        ("open", None, {}),
        ("alert", "7", {"alert_id": "a"}),
        ("mood", None, {"mood": 0.5}),
    ]


async def test_pages_are_followed_to_the_end() -> None:
    pages = {
        None: {"items": [{"n": 1}], "next_cursor": "x"},
        "x": {"items": [{"n": 2}], "next_cursor": None},
    }
    service = FakeService(
        lambda request: httpx.Response(200, json=pages[request.url.params.get("cursor")])
    )
    assert [item["n"] async for item in service.client().pages("/alerts")] == [1, 2]
