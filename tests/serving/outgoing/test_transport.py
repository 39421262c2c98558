"""The client for other machines against servers and name servers that mean harm."""

import asyncio
import base64
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx
import pytest

from serving.notify.channels.base import Unavailable
from serving.notify.channels.http_post import get, post
from serving.outgoing.address_rules import AddressRules, ForbiddenAddress
from serving.outgoing.guarded_requests import RequestsGuard, bound_requests
from serving.outgoing.guarded_thread import ThreadGuard, run_guarded
from serving.outgoing.resolution import connect
from serving.outgoing.transport import outgoing_client
from tests.serving.notify.receiver import Receiver, answer, receiving

HERE = AddressRules(loopback=True)
PUBLIC = "93.184.216.34"


class ChangingNames:
    """A name server that gives these addresses in turn, and the last one from then on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Iterable[str]) -> None:
        self.answers = [list(one) for one in answers]
        self.asked = 0
        real = socket.getaddrinfo

        def getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
            if host != "rebind.example":
                return real(host, port, *more, **named)
            found = self.answers[min(self.asked, len(self.answers) - 1)]
            self.asked += 1
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port)))
                for address in found
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


class RecordingBackend(httpcore.AnyIOBackend):
    """Keeps the addresses that it is given, and connects to none."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    async def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.tried.append(host)
        raise httpcore.ConnectError("nothing is there")


async def test_the_address_that_was_checked_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names, backend = ChangingNames(monkeypatch, [PUBLIC], ["127.0.0.1"]), RecordingBackend()
    async with outgoing_client(AddressRules(), seconds=5, backend=backend) as http:
        with pytest.raises(httpx.ConnectError):
            await http.post("http://rebind.example/hook")
        assert backend.tried == [PUBLIC]
        with pytest.raises(ForbiddenAddress, match=r"rebind.example \(127.0.0.1\) is a private"):
            await http.post("http://rebind.example/hook")
    assert backend.tried == [PUBLIC]
    assert names.asked == 2


async def test_of_several_addresses_only_the_allowed_ones_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ChangingNames(monkeypatch, ["127.0.0.1", PUBLIC, "169.254.169.254"])
    backend = RecordingBackend()
    async with outgoing_client(AddressRules(), seconds=5, backend=backend) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("http://rebind.example/")
    assert backend.tried == [PUBLIC]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0x7f000001", "2130706433"],
)
async def test_nothing_is_sent_to_private_addresses(host: str) -> None:
    async with receiving() as receiver, outgoing_client(AddressRules(), seconds=5) as http:
        with pytest.raises(Unavailable):
            await post(http, f"http://{host}:{receiver.port}/hook", b"{}", {})
    assert receiver.requests == []


async def test_a_private_address_that_is_allowed_is_connected_to() -> None:
    async with receiving() as receiver, outgoing_client(HERE, seconds=5) as http:
        await post(http, receiver.url, b"{}", {})
    assert len(receiver.requests) == 1


async def test_a_redirect_is_not_followed() -> None:
    async with receiving() as inner, receiving() as receiver:
        receiver.answers.append(answer(302, Location=inner.url))
        async with outgoing_client(HERE, seconds=5) as http:
            found = await http.get(receiver.url)
    assert found.status_code == 302
    assert inner.requests == []


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "gopher://x/"])
async def test_other_schemes_are_refused(url: str) -> None:
    async with outgoing_client(HERE, seconds=5) as http:
        with pytest.raises(httpx.UnsupportedProtocol):
            await http.get(url)


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Told\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Told\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def dripping_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Told\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def test_an_answer_of_endless_size_is_cut_off() -> None:
    async with (
        receiving(endless_body, endless_body) as receiver,
        outgoing_client(HERE, seconds=10, most_bytes=200_000) as http,
    ):
        with pytest.raises(httpx.ReadError, match="more than 200,000 bytes"):
            await http.get(receiver.url)
        with pytest.raises(Unavailable, match="more than"):
            await get(http, receiver.url, [], {}, most=100_000)


@pytest.mark.parametrize("drip", [dripping, dripping_head])
async def test_a_host_that_drips_bytes_is_cut_off(drip: Any) -> None:
    began = time.monotonic()
    async with receiving(drip) as receiver, outgoing_client(HERE, seconds=0.3) as http:
        with pytest.raises(httpx.ReadTimeout, match=r"within 0.3 s"):
            await http.get(receiver.url)
    assert time.monotonic() - began < 3


async def test_a_mail_server_with_a_private_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with receiving() as receiver:
        with pytest.raises(ForbiddenAddress):
            await connect("localhost", receiver.port, AddressRules())
        (await connect("localhost", receiver.port, HERE)).close()
    ChangingNames(monkeypatch, ["169.254.169.254"])
    with pytest.raises(ForbiddenAddress, match="never connected to"):
        await connect("rebind.example", 25, AddressRules(private=True))


async def _requests(receiver: Receiver, guard: RequestsGuard, seconds: float = 5) -> Any:
    requests = pytest.importorskip("requests")
    bound_requests()
    async with asyncio.timeout(seconds):
        return await run_guarded(
            lambda: requests.post(f"http://localhost:{receiver.port}/", data=b"x", timeout=4), guard
        )


async def test_a_library_is_kept_from_private_addresses_at_the_connection() -> None:
    guard = RequestsGuard(AddressRules())
    async with receiving() as receiver:
        with pytest.raises(OSError, match="may not be connected to"):
            await _requests(receiver, guard)
    assert receiver.requests == []
    with pytest.raises(ForbiddenAddress, match=r"127\.0\.0\.1"):
        guard.check()


async def test_an_endless_answer_to_a_library_is_cut() -> None:
    guard = RequestsGuard(HERE)
    async with receiving(endless_body) as receiver:
        found = await _requests(receiver, guard)
    assert len(found.content) == 1_000_000
    assert [one.status for one in guard.answers] == [200]


@pytest.mark.parametrize("drip", [dripping, dripping_head])
async def test_a_host_that_drips_bytes_to_a_library_is_cut_off(drip: Any) -> None:
    before = {one.ident for one in _guarded()}
    async with receiving(drip) as receiver:
        with pytest.raises(TimeoutError):
            await _requests(receiver, RequestsGuard(HERE), seconds=0.3)
        async with asyncio.timeout(5):
            while {one.ident for one in _guarded()} - before:
                await asyncio.sleep(0.01)


async def test_a_library_cannot_send_datagrams_to_private_addresses() -> None:
    def send(message: bool) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            if message:
                opened.sendmsg([b"x"], [], 0, ("127.0.0.1", 9))
            else:
                opened.sendto(b"x", ("127.0.0.1", 9))

    for message in (False, True):
        with pytest.raises(OSError, match="may not be connected to"):
            await run_guarded(lambda message=message: send(message), ThreadGuard(AddressRules()))
        await run_guarded(lambda message=message: send(message), ThreadGuard(HERE))


async def test_a_name_that_leads_elsewhere_for_a_library_is_checked_at_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ChangingNames(monkeypatch, [PUBLIC], ["127.0.0.1"])

    def connect_twice() -> None:
        assert socket.getaddrinfo("rebind.example", 9)[0][4][0] == PUBLIC
        socket.create_connection(("rebind.example", 9), timeout=1)

    with pytest.raises(OSError, match=r"127\.0\.0\.1 is an address that may not"):
        await run_guarded(connect_twice, ThreadGuard(AddressRules()))
    assert names.asked == 2


async def test_a_library_resolves_no_name_once_its_time_is_over() -> None:
    looked_up, go_on = asyncio.Event(), threading.Event()
    loop, failed = asyncio.get_running_loop(), list[str]()

    def work() -> None:
        go_on.wait(5)
        try:
            socket.getaddrinfo("localhost", 80)
        except OSError as error:
            failed.append(str(error))
        loop.call_soon_threadsafe(looked_up.set)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await run_guarded(work, ThreadGuard(HERE))
    go_on.set()
    async with asyncio.timeout(5):
        await looked_up.wait()
    assert failed == ["the time for this message is over"]


def _guarded() -> list[Any]:
    return [one for one in threading.enumerate() if one.name == "guarded"]


async def test_public_addresses_are_reached_through_the_proxy_and_private_ones_are_not() -> None:
    async with receiving() as proxy:
        given = proxy.url.replace("http://", "http://groundswell:secret@")
        async with outgoing_client(AddressRules(), seconds=5, proxy=given) as client:
            assert (await client.post("http://hooks.example/T/1")).status_code == 204
            for host in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]"):
                with pytest.raises(ForbiddenAddress):
                    await client.post(f"http://{host}/x")
            proxy.answers.append(answer(403))
            with pytest.raises(httpx.ProxyError):
                await client.post("https://hooks.example/T/1")
    assert [request.path for request in proxy.requests] == [
        "http://hooks.example/T/1",
        "hooks.example:443",
    ]
    scheme, _, credentials = proxy.requests[0].headers["proxy-authorization"].partition(" ")
    assert (scheme, base64.b64decode(credentials)) == ("Basic", b"groundswell:secret")


@pytest.mark.parametrize("rules", [HERE, AddressRules(private=True)])
async def test_what_is_near_is_reached_without_the_proxy(rules: AddressRules) -> None:
    async with (
        receiving() as near,
        receiving() as proxy,
        outgoing_client(rules, seconds=5, proxy=proxy.url) as client,
    ):
        await client.post(f"{near.url}/x")
    assert (len(near.requests), proxy.requests) == (1, [])
