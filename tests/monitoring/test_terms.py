"""How a text is taken apart, and which terms are distinctive."""

import unicodedata

import pytest

from monitoring.terms import _clusters, _overlap, _unsegmented, distinctive, terms_of


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (0x0E00, 0x0EFF),
        (0x1000, 0x109F),
        (0x1780, 0x17FF),
        (0x3040, 0x30FF),
        (0x3400, 0x4DBF),
        (0x4E00, 0x9FFF),
        (0xF900, 0xFAFF),
        (0x20000, 0x2FFFF),
    ],
)
def test_scripts_without_spaces_are_known_by_their_blocks(first: int, last: int) -> None:
    assert all(_unsegmented(chr(point)) for point in (first, last))
    assert not any(_unsegmented(chr(point)) for point in (first - 1, last + 1))


def test_marks_stay_with_the_letter_before_them() -> None:
    word = "ก็นี้"
    clusters = _clusters(word)
    assert "".join(clusters) == word
    assert len(clusters) == sum(unicodedata.category(char)[0] != "M" for char in word)
    assert len(_clusters("\u0301a")) == 2  # a mark with nothing before it


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("a bc d", {"bc", "a bc", "bc d", "a bc d"}),
        ("don't 'stop' x9", {"don't", "stop", "x9", "don't stop", "stop x9", "don't stop x9"}),
        ("see https://x.example/path now @shop", {"see", "now", "see now"}),
        ("ab一二cd", {"ab", "cd", "一二"}),
        ("一二三四五", {"一二", "二三", "三四", "四五", "一二三", "二三四", "三四五",
                   "一二三四", "二三四五"}),
        ("뒷광고", {"뒷광고", "뒷광", "광고"}),
        ("", set()),
        ("7", set()),
    ],
)  # fmt: skip
def test_terms_of_a_text(text: str, terms: set[str]) -> None:
    assert terms_of(text) == terms


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("abcd", "cdef", True),
        ("cdef", "abcd", True),
        ("abcd", "defg", False),  # one character is less than half
        ("abcde", "defgh", False),  # so are two of five
        ("abcde", "cdefg", True),
        ("ab", "bc", False),
    ],
)
def test_terms_overlap_by_half_of_the_shorter(one: str, other: str, overlap: bool) -> None:
    assert _overlap(one, other) is overlap


def test_a_term_needs_two_comments_and_more_than_chance() -> None:
    calm = [{"nice", "video"}] * 200
    storm = [({"scam", "video"}, 0.9)] * 20 + [({"once"}, 1.0)]
    found = distinctive(storm, calm, 5)
    assert [(term.text, term.incident, term.baseline) for term in found] == [("scam", 20, 0)]
    assert found[0].z > 1.96
    assert distinctive(storm, calm, 0) == []
    assert distinctive([], [], 5) == []
    assert [term.text for term in distinctive([({"scam"}, 0.9)] * 2, calm, 5)] == []


def test_a_term_inside_a_better_one_is_left_out_if_it_is_as_frequent() -> None:
    calm = [{"nice"}] * 300
    both = [({"kem trộn", "trộn"}, 0.9)] * 20
    assert [term.text for term in distinctive(both, calm, 5)] == ["kem trộn"]
    more = both + [({"trộn"}, 0.9)] * 20
    assert {term.text for term in distinctive(more, calm, 5)} == {"kem trộn", "trộn"}
    nearly = both + [({"trộn"}, 0.9)] * 13  # 20 of 33 are 0.6 of them
    assert len(distinctive(nearly, calm, 5)) == 1
