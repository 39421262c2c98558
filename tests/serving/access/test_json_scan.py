"""JSON in pieces: what is let pass is parsed to the same values, and the bounds are exact."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from serving.access.json_scan import JsonBounds, JsonScan
from serving.api.bodies import SplitJson, read_json
from serving.errors import InvalidRequest

SMALL = JsonBounds(items=3, item_bytes=40, item_values=6, values=17, depth=3)
TEXTS = JsonBounds(items=1000, list_depth=2, field="texts")
LIST = JsonBounds(items=1000)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def scan(body: bytes, bounds: JsonBounds, size: int) -> JsonScan:
    found = JsonScan(bounds)
    for start in range(0, len(body), size):
        found.feed(body[start : start + size])
    return found


async def split(body: bytes, bounds: JsonBounds, size: int) -> SplitJson:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    bounded = SimpleNamespace(scan=scan(body, bounds, size))
    return await read_json(Request({"type": "http", "state": {"body": bounded}}, receive))


def written(value: object, *, escaped: bool, spaced: bool) -> bytes:
    separators = (" , ", " : ") if spaced else (",", ":")
    text = json.dumps(value, ensure_ascii=escaped, separators=separators)
    return text.encode("utf-8", "surrogatepass" if escaped else "strict")


@settings(deadline=None)
@given(VALUES, st.integers(1, 9), st.booleans(), st.booleans())
async def test_a_body_is_parsed_to_what_it_holds(
    value: object, size: int, escaped: bool, spaced: bool
) -> None:
    body = written(value, escaped=escaped, spaced=spaced)
    found = await split(body, LIST, size)
    items = [item async for item in found.items()]
    assert items == (value if isinstance(value, list) else [value])
    assert bool(found.cuts) == isinstance(value, list)
    assert found.is_empty == (value == [])


@settings(deadline=None)
@given(st.lists(VALUES, max_size=5), st.integers(1, 9), st.booleans(), st.booleans())
async def test_a_list_in_an_object_is_parsed_to_what_it_holds(
    texts: list[object], size: int, escaped: bool, spaced: bool
) -> None:
    body = written({"a": "[", "texts": texts, "b": {}}, escaped=escaped, spaced=spaced)
    found = await split(body, TEXTS, size)
    assert found.outer == {"a": "[", "texts": [], "b": {}}
    assert [item async for item in found.items()] == texts


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"[1,2",
            b"[1,]",
            b"[,1]",
            b"[1,,2]",
            b"[1]]",
            b"[1}",
            b"[1] 2",
            b"x[1]",
            b'["a]',
            b"[1 2]",
        ),
        *(b"", b"{", b"}", b"]", b'"', b"[", b"[[1]", b'{"a":[1}', b"[1\\]", b'[1,"\\"]'),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
async def test_what_is_no_json_stays_none(body: bytes, size: int) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    with pytest.raises(InvalidRequest, match="not JSON"):
        _ = [item async for item in (await split(body, LIST, size)).items()]


@pytest.mark.parametrize(
    ("taken", "refused", "code"),
    [
        (b"[1,2,3]", b"[1,2,3,4]", "too_many_items"),
        (b"[[[]]]", b"[[[[]]]]", "too_complex"),
        (b"[[1,2,3,4,5,6]]", b"[[1,2,3,4,5,6,7]]", "too_complex"),
        (b'["' + b"x" * 37 + b'"]', b'["' + b"x" * 38 + b'"]', "body_too_large"),
        (b" " * 38 + b"1", b" " * 40 + b"1", "body_too_large"),
        (
            b"[[1,2,3,4,5],[1,2,3,4,5],[1,2,3]]",
            b"[[1,2,3,4,5],[1,2,3,4,5],[1,2,3,4,5]]",
            "too_complex",
        ),
        (b'["[[[[,,,,,,,,,,,"]', b"[[,,,,,,,,,,,]]", "too_complex"),
        (b'["\\"[[[[,,,,,,,,,,"]', b'["\\\\"[[[[,,,,,,,,,,"]', "too_complex"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_bounds_are_exact(taken: bytes, refused: bytes, code: str, size: int) -> None:
    scan(taken, SMALL, size)
    with pytest.raises(InvalidRequest) as error:
        scan(refused, SMALL, size)
    assert error.value.code == code


def test_an_endless_list_is_refused_long_before_its_end() -> None:
    found = JsonScan(SMALL)
    with pytest.raises(InvalidRequest):
        found.feed(b"[" + b"[]," * 1000)
    assert len(found.cuts) < 10
