"""One body as it arrives."""

import asyncio
from typing import Any

import pytest

from serving.access.bounded_body import BoundedBody, InFlight
from serving.access.bounds import BodyBounds
from serving.access.json_scan import JsonBounds
from serving.errors import InvalidRequest, ServingError, TooBusy

A_JSON = BodyBounds(100, json=JsonBounds())
A_STREAM = BodyBounds(None)


def body(
    *pieces: bytes, bounds: BodyBounds = A_JSON, in_flight: InFlight | None = None
) -> BoundedBody:
    """A body in pieces; after them nothing more comes, unless the last one is empty."""
    waiting = list(pieces)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    return BoundedBody(receive, bounds, timeout=0.1, in_flight=in_flight or InFlight(1000))


async def test_json_comes_as_a_whole() -> None:
    found = body(b"[1,", b"2", b"]", b"")
    message = await found.receive()
    assert (message["body"], message["more_body"]) == (b"[1,2]", False)
    assert found.fault is None


async def test_a_stream_comes_as_it_comes() -> None:
    found = body(b"a\n", b"b\n", b"", bounds=A_STREAM)
    assert [(await found.receive())["body"] for _ in range(3)] == [b"a\n", b"b\n", b""]


@pytest.mark.parametrize(
    ("pieces", "bounds", "code"),
    [
        ((b"x" * 101, b""), A_JSON, "body_too_large"),
        ((b"x" * 60, b"x" * 41, b""), A_JSON, "body_too_large"),
        ((b"[" * 65, b""), A_JSON, "too_complex"),
        ((b"[1",), A_JSON, "request_timeout"),
        ((b"x" * 11, b""), BodyBounds(10), "body_too_large"),
    ],
)
async def test_what_is_out_of_bounds_stays_refused(
    pieces: tuple[bytes, ...], bounds: BodyBounds, code: str
) -> None:
    found = body(*pieces, bounds=bounds)
    for _ in range(2):
        with pytest.raises(InvalidRequest) as error:
            await found.receive()
        assert error.value.code == code
    assert found.fault is error.value


async def test_a_stream_must_bring_something() -> None:
    fast = body(*[b"x" * 1024] * 3, bounds=A_STREAM)
    for _ in range(3):
        await fast.receive()
    with pytest.raises(InvalidRequest, match="did not arrive"):
        await fast.receive()


async def test_a_stream_that_brings_little_is_slow_too() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def read_on(slow: BoundedBody) -> None:
        for _ in range(20):
            await slow.receive()

    with pytest.raises(InvalidRequest, match="did not arrive"):
        await read_on(BoundedBody(receive, A_STREAM, timeout=0.1, in_flight=InFlight(1000)))


async def test_all_bodies_together_are_bounded() -> None:
    in_flight = InFlight(10)
    first, second = (body(b"[1,2,3]", b"", in_flight=in_flight) for _ in range(2))
    await first.receive()
    with pytest.raises(TooBusy) as error:
        await second.receive()
    assert isinstance(error.value, ServingError)
    first.close()
    second.close()
    third = body(b"[1,2,3]", b"", in_flight=in_flight)
    assert (await third.receive())["body"] == b"[1,2,3]"
