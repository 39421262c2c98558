"""Likes, ids and texts as exports write them."""

import pytest

from serving.ingest.values.counts import read_count
from serving.ingest.values.ids import is_missing, read_id
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.text import join_text, repair, storable


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, (None, False)),
        (0, (0, False)),
        (12, (12, False)),
        ("7", (7, False)),
        ("12.0", (12, True)),
        (12.0, (12, True)),
        ("1.2K", (1200, True)),
        ("1,2 k", (1200, True)),
        ("3M", (3_000_000, True)),
        ("1,234", (1234, True)),
        ("1.234.567", (1_234_567, True)),
        ("1 234", (1234, True)),
        (-1, (None, True)),
        (-37, (None, True)),
        ("-37", (None, True)),
        (10**30, (None, True)),
        ("9" * 39, (None, True)),
        (1.5, (None, True)),
        (float("nan"), (None, True)),
        (float("inf"), (None, True)),
        ("N/A", (None, True)),
        ("null", (None, True)),
        ("", (None, True)),
        ("1.234,5", (None, True)),
        ("many", (None, True)),
        (True, (None, True)),
        ([1], (None, True)),
    ],
)
def test_counts(value: object, expected: tuple[int | None, bool]) -> None:
    assert read_count(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a1", "a1"),
        (" a1 ", "a1"),
        (17, "17"),
        (2**63, str(2**63)),
        (123.0, "123"),
        (-123.0, "-123"),
        (float("nan"), None),
        (None, None),
        ("1990123456789012345", "1990123456789012345"),
        ("12e5", "12e5"),
        ("a\0b", "a\ufffdb"),
        ("123.0", "123"),
        ("12.5.0", "12.5.0"),
        ('="1990123456789012345"', "1990123456789012345"),
        ("'1990123456789012345", "1990123456789012345"),
        ("\ufeffa1\u200b", "a1"),
        ("'tis", "'tis"),
    ],
)
def test_ids(value: object, expected: str | None) -> None:
    assert read_id(value, 256) == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1.99E+18", "rounded_id"),
        ("1,99E+18", "rounded_id"),
        ("1.477429e+18", "rounded_id"),
        ("2E+18", "rounded_id"),
        (1.477429e18, "rounded_id"),
        (float(2**53), "rounded_id"),
        (float("inf"), "rounded_id"),
        (1.5, "wrong_type"),
        (True, "wrong_type"),
        (2**64, "wrong_type"),
        (["a"], "wrong_type"),
        ({"id": "42"}, "wrong_type"),
        ("x" * 257, "too_long"),
        ("a\nb", "bad_characters"),
        ("\u200b1.99E+18", "rounded_id"),
        ("1990123456789012224.0", "rounded_id"),
        ("#REF!", "wrong_type"),
        ("########", "wrong_type"),
    ],
)
def test_ids_that_name_nothing_are_refused(value: object, code: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_id(value, 256)
    assert caught.value.code == code
    if code == "rounded_id":
        assert "export the column as text" in caught.value.message


def test_words_for_nothing() -> None:
    assert all(is_missing(value) for value in (None, "", " NaN ", "null", "N/A", "None"))
    assert not any(is_missing(value) for value in ("0", 0, "u1", []))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ({"runs": [{"text": "I like "}, {"text": "it"}]}, "I like it"),
        ({"simpleText": "hello"}, "hello"),
        (["see ", {"type": "link", "text": "example.org"}, " there"], "see example.org there"),
        ([{"type": "bold", "text": "no"}], "no"),
        ({"text": "body", "entities": []}, "body"),
    ],
)
def test_known_rich_text_is_joined(value: object, expected: str) -> None:
    assert join_text(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        ["a", "b"],
        [1, 2],
        {"body": "x"},
        [{"type": "image"}],
        {"text": {"text": {"text": {"text": {"text": {"text": "x"}}}}}},
        5,
        None,
        True,
    ],
)
def test_nothing_else_is_made_text(value: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        join_text(value)
    assert caught.value.code == "wrong_type"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("text", ["quá đẹp", "été à la plage", "Größe", "너무 늦어요", "so 😡😡"])
def test_wrongly_decoded_utf8_is_repaired(text: str, encoding: str) -> None:
    try:
        garbled = text.encode().decode(encoding)
    except UnicodeDecodeError:
        garbled = text.encode().decode("latin-1")
    assert repair(garbled) == text


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "quá đẹp",
        "Größe",
        "JOÃO",
        "NÃO É",
        "naïve café",
        "Ã",
        "配送",
        "a\ufffdb",
        "ok 👍",
        "",
    ],
)
def test_what_may_be_right_stays(text: str) -> None:
    assert repair(text) is None


def test_storable_text() -> None:
    assert storable("a\0b\ud800c é") == "a\ufffdb\ufffdc é"
