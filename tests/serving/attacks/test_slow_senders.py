"""Senders and readers that are slow on purpose, and a stop in the middle of work."""

import contextlib
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving.attacks.attacked_service import SLOW
from tests.serving.attacks.conftest import Attacked, attacked, loop_is_watched

HEAD = b"POST /v1/comments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """A service that waits for nobody."""
    folder = tmp_path_factory.mktemp("hasty")
    bounds = {"header_timeout": "0.5", "body_timeout": "0.5", "max_subscribers": "2"}
    with attacked(folder, **bounds) as found:
        yield found


def received(connection: socket.socket) -> bytes:
    """All that the service sends until it closes the connection."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            found += piece
    return found


def closed(service: Attacked, reason: str) -> float:
    with service.client() as client:
        for line in client.get("/metrics").text.splitlines():
            if line.startswith(f'groundswell_connections_closed_total{{reason="{reason}"}}'):
                return float(line.split()[1])
    return 0.0


@pytest.fixture
def many_files() -> Iterator[None]:
    """Descriptors for the attacker."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@loop_is_watched
@pytest.mark.usefixtures("many_files")
def test_1100_slow_sockets_with_1024_descriptors(tmp_path: Path) -> None:
    with attacked(tmp_path, files=1024) as service, contextlib.ExitStack() as stack:
        for number in range(1100):
            slow = stack.enter_context(service.connect())
            if number % 2:
                slow.sendall(HEAD)
        began = time.monotonic()
        with service.client() as client:
            assert client.get("/readyz").status_code == 200
            item = {
                "platform": "x",
                "comment_id": "1",
                "kol_id": "lena",
                "text": "love it",
                "created_at": "2026-03-10T11:00:00Z",
            }
            answer = client.post("/v1/comments", json=item)
            assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
        assert time.monotonic() - began < 3
        assert closed(service, "replaced") >= 300
        service.check_loop()


def test_headers_that_do_not_end(hasty: Attacked) -> None:
    before = closed(hasty, "slow_headers")
    with hasty.connect() as connection, hasty.connect() as silent:
        connection.sendall(HEAD)
        answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"request_timeout"' in answer
        assert b"x-frame-options: DENY" in answer.lower().replace(b"deny", b"DENY")
        assert received(silent) == b""
    assert closed(hasty, "slow_headers") == before + 2


def test_headers_byte_by_byte(hasty: Attacked) -> None:
    with hasty.connect() as connection:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in HEAD:
                connection.sendall(bytes([byte]))
                time.sleep(0.02)
        assert received(connection).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 3


def test_line_ends_instead_of_a_next_request(hasty: Attacked) -> None:
    with hasty.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 5:
                connection.sendall(b"\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson"])
def test_a_body_that_does_not_come(hasty: Attacked, media: str) -> None:
    head = HEAD.replace(b"application/json", media.encode())
    with hasty.connect() as connection:
        connection.sendall(head + b"Content-Length: 1000\r\n\r\n")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 5:
                connection.sendall(b"[")
                time.sleep(0.1)
        assert received(connection).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 3


def test_headers_that_are_too_large(hasty: Attacked) -> None:
    for large in (b"X: " + b"a" * 70_000, b"\r\n".join(b"X: %d" % n for n in range(20_000))):
        with hasty.connect() as connection:
            with contextlib.suppress(OSError):
                connection.sendall(HEAD + large)
            assert received(connection).startswith(b"HTTP/1.1 431 ")
    with hasty.connect() as connection:
        connection.sendall(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 431 ")


def test_what_is_no_http(hasty: Attacked) -> None:
    with hasty.connect() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"malformed_request"' in answer


def test_a_reader_who_takes_nothing(hasty: Attacked) -> None:
    with hasty.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with contextlib.suppress(OSError):
            connection.sendall(request * 50)
        deadline = time.monotonic() + 10
        while not closed(hasty, "slow_reader"):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_one_subscriber_more_than_there_may_be(hasty: Attacked) -> None:
    with contextlib.ExitStack() as stack, hasty.client() as client:
        for _ in range(2):
            client_of_stream = stack.enter_context(hasty.client())
            stream = client_of_stream.stream("GET", "/v1/stream")
            assert stack.enter_context(stream).status_code == 200
        answer = client.get("/v1/stream")
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_subscribers")
        assert int(answer.headers["retry-after"]) > 0
        stack.close()
        deadline = time.monotonic() + 10
        while True:  # a place is free as soon as the service notices
            with client.stream("GET", "/v1/stream") as stream:
                if stream.status_code == 200:
                    break
            assert time.monotonic() < deadline


def test_connections_that_are_all_at_work(tmp_path: Path) -> None:
    with attacked(tmp_path, max_connections="3") as service, contextlib.ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(service.client())
            stack.enter_context(client.stream("GET", "/v1/stream"))
        with service.connect() as connection:
            answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b'"code":"too_many_connections"' in answer


def test_one_address_does_not_take_all_connections(tmp_path: Path) -> None:
    bounds = {"max_connections_per_address": "3", "trusted_proxies": "10.0.0.0/8"}
    with attacked(tmp_path, **bounds) as service, contextlib.ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(service.client())
            stack.enter_context(client.stream("GET", "/v1/stream"))
        with service.connect() as connection:
            answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"too many connections are open from 127.0.0.1" in answer


def test_sigterm_with_scoring_in_flight(tmp_path: Path) -> None:
    answers: list[httpx.Response] = []
    with attacked(tmp_path) as service:

        def score() -> None:
            with service.client() as client:
                answers.append(client.post("/v1/score", json={"texts": [f"{SLOW} love it"]}))

        scoring = threading.Thread(target=score)
        scoring.start()
        time.sleep(0.5)  # the model is at work now
        service.process.send_signal(signal.SIGTERM)
        scoring.join(20)
        assert service.process.wait(20) == 0
    (answer,) = answers
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
