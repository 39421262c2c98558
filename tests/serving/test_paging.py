"""Cursors: only those that were handed out for the list at hand are taken."""

import pytest

from serving.api.paging import decode_cursor, encode_cursor
from serving.errors import InvalidRequest


def test_round_trip() -> None:
    assert decode_cursor(encode_cursor(17, "кол"), int, str) == (17, "кол")


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "ключ", "AAAA", encode_cursor("a", 1), encode_cursor(1)),
        *(encode_cursor(2**63, "a"), encode_cursor(1, "\0"), encode_cursor(1, "\ud800")),
    ],
)
def test_any_other_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_cursor(cursor, int, str)
    assert (caught.value.code, caught.value.field) == ("invalid_cursor", "cursor")
