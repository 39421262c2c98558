"""Bodies that are large, deep or full: each is refused before it costs anything."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from serving.access.bounds import MAX_LINE_BYTES
from tests.serving.attacks.conftest import Attacked, loop_is_watched

MEBIBYTE = 1024 * 1024
JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
CREATED = "2026-03-10T11:00:00Z"

pytestmark = loop_is_watched


@pytest.fixture(autouse=True)
def _the_loop_is_never_blocked(service: Attacked) -> Iterator[None]:
    """No request of this file keeps the event loop for 20 ms, and the service goes on after it.

    What the pipeline does with the comments that are taken is not asked here.
    """
    service.reset_blocks()
    yield
    with service.client() as client:
        assert client.get("/readyz").status_code == 200
    service.check_loop(but="pipeline")


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def comment(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {
        "platform": "x",
        "comment_id": f"{text[:2]}{number}",
        "kol_id": "lena",
        "text": text,
        "created_at": CREATED,
        **more,
    }


def test_4_mb_of_ones_as_texts(service: Attacked) -> None:
    body = b'{"texts":[' + b"1," * (2 * MEBIBYTE) + b"1]}"
    with service.client() as client:
        began = time.monotonic()
        answer = client.post("/v1/score", content=body, headers=JSON)
        assert refused(answer) == (422, "too_many_items")
        assert answer.json()["field"] == "texts"
        assert time.monotonic() - began < 3
        few = client.post("/v1/score", content=b'{"texts":[1,1]}', headers=JSON)
        assert (refused(few), few.json()["field"]) == ((422, "invalid_parameter"), "texts.0")


@pytest.mark.parametrize("path", ["/v1/comments", "/v1/posts", "/v1/score", "/v1/silences"])
def test_16_mb_of_empty_lists(service: Attacked, path: str) -> None:
    body = b"[" + b"[]," * (16 * MEBIBYTE // 3 - 1) + b"[]]"
    before = service.peak()
    with service.client() as client:
        answer = client.post(path, content=body, headers=JSON)
    expected = {
        "/v1/score": (413, "too_complex"),
        "/v1/silences": (413, "body_too_large"),
    }
    assert refused(answer) == expected.get(path, (422, "too_many_items"))
    assert service.peak() - before < 100


def test_16_mb_of_brackets_that_do_not_close(service: Attacked) -> None:
    with service.client() as client:
        answer = client.post("/v1/comments", content=b"[" * (15 * MEBIBYTE), headers=JSON)
    assert refused(answer) == (413, "too_complex")


def test_15_mb_of_spaces_or_one_endless_text(service: Attacked) -> None:
    with service.client() as client:
        for body in (b" " * (15 * MEBIBYTE), b'["' + b"x" * (15 * MEBIBYTE) + b'"]'):
            answer = client.post("/v1/comments", content=body, headers=JSON)
            assert refused(answer) == (413, "body_too_large")


def test_110_lines_of_nested_objects_of_1_mb(service: Attacked) -> None:
    deep = b'{"a":' * (MEBIBYTE // 6 - 10)
    deep += b"1" + b"}" * (MEBIBYTE // 6 - 10)
    wide = b'{"a":[' + b'{"b":{}},' * (MEBIBYTE // 9 - 10) + b"{}]}"
    assert max(len(deep), len(wide)) < MAX_LINE_BYTES
    before = service.peak()
    with service.client() as client:
        lines = (line + b"\n" for _ in range(55) for line in (deep, wide))
        answer = client.post("/v1/comments", content=lines, headers=NDJSON)
        assert refused(answer) == (422, "all_rejected")
        assert answer.json()["rejected"] == 110
        assert {one["error"]["code"] for one in answer.json()["items"]} == {"too_complex"}
    assert service.peak() - before < 100


def test_a_list_of_a_thousand_long_comments_is_taken(service: Attacked) -> None:
    texts = "Sản phẩm quá tệ, tôi rất thất vọng. " * 240  # 15 MB in all
    body = json.dumps([comment(n, texts) for n in range(1000)], ensure_ascii=False).encode()
    assert 10 * MEBIBYTE < len(body) < 16 * MEBIBYTE
    with service.client() as client:
        answer = client.post("/v1/comments", content=body, headers=JSON)
        assert (answer.status_code, answer.json()["accepted"]) == (202, 1000)


def test_100_long_texts_are_scored(service: Attacked) -> None:
    with service.client() as client:
        answer = client.post("/v1/score", json={"texts": ["tệ quá " * 6500] * 100})
    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == 100


def test_64_kb_of_line_ends_in_every_piece(service: Attacked) -> None:
    with service.client() as client:
        lines = (b"\n" * 65_536 for _ in range(100))
        answer = client.post("/v1/comments", content=lines, headers=NDJSON)
    assert refused(answer) == (422, "invalid_parameter")


@pytest.mark.parametrize("line", [b"{}", b"[1", b"\xff"])
def test_20_000_lines_that_are_no_comments(service: Attacked, line: bytes) -> None:
    with service.client() as client:
        answer = client.post("/v1/comments", content=(line + b"\n") * 20_000, headers=NDJSON)
    assert refused(answer) == (422, "all_rejected")
    assert (answer.json()["rejected"], len(answer.json()["items"])) == (20_000, 1000)


def test_lines_are_committed_by_their_bytes(service: Attacked) -> None:
    """Two lines of 600 kB are in the log while the rest of the stream is still to come."""
    lines = [json.dumps(comment(n, "zz", more="x" * 600_000)).encode() + b"\n" for n in range(3)]
    head = (
        f"POST /v1/comments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {NDJSON['content-type']}"
    )
    with service.client() as client, service.connect() as connection:
        before = client.get("/v1/status").json()["log"]["last_seq"]
        connection.sendall(f"{head}\r\nContent-Length: {sum(map(len, lines))}\r\n\r\n".encode())
        connection.sendall(lines[0] + lines[1])
        deadline = time.monotonic() + 10
        while client.get("/v1/status").json()["log"]["last_seq"] < before + 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        connection.sendall(lines[2])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 202 ")


def exchange(connection: socket.socket, head: bytes, pieces: Iterator[bytes]) -> bytes:
    """The answer to a request whose sender looks for one while it sends."""
    connection.sendall(head)
    connection.setblocking(False)
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[connection.send(rest) :]
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:  # closed: it has answered
                break
        try:
            if connection.recv(1, socket.MSG_PEEK):
                break
        except BlockingIOError:
            continue
        except OSError:
            break
    connection.settimeout(15)
    return connection.recv(65_536)


def routes(service: Attacked) -> list[tuple[str, str]]:
    with service.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    found = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    return [*found, ("POST", "/alerts/a"), ("GET", "/docs"), ("POST", "/nothing")]


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_100_mb_to_every_route(service: Attacked, *, chunked: bool) -> None:
    piece = b"[" + b"x" * 65_534 + b"]"
    if chunked:
        piece = b"%x\r\n" % len(piece) + piece + b"\r\n"
    every = routes(service)
    assert len(every) > 40
    before = service.peak()
    for method, path in every:
        if path == "/v1/imports" or path == "/v1/stream":
            continue  # files may be so large; a stream has no end
        media = "application/x-www-form-urlencoded" if path == "/alerts/a" else "application/json"
        length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 104857600"
        head = (
            f"{method} {path.replace('{', '').replace('}', '')} HTTP/1.1\r\n"
            "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
            f"Content-Type: {media}\r\n{length}\r\n\r\n"
        )
        with service.connect() as connection:
            answer = exchange(connection, head.encode(), iter([piece] * 1600))
        status = int(answer.split()[1])
        if not chunked:
            assert status in (413, 415), (method, path, answer)
        assert status < 500, (method, path, answer)
    assert service.peak() - before < 150
