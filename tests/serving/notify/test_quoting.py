"""Other people's words: masked, defused, cut."""

import pytest

from serving.locales.quoting import masked, one_line, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("you F.U. fucking liar", "you F.U. f****** liar"),
        ("motherfucker", "m***********"),
        ("SHIIIT happens, b1tches", "S***** happens, b******"),
        (
            "shiitake from Scunthorpe, class assessment",
            "shiitake from Scunthorpe, class assessment",
        ),
        ("Đồ chó, địt mẹ", "Đồ chó, đ** mẹ"),
        ("đi chơi", "đi chơi"),
        ("from Niger and Nigeria", "from Niger and Nigeria"),
        ("이 병신아", "이 병*아"),
        ("dasar goblok", "dasar g*****"),
    ],
)
def test_offensive_words_are_masked_and_others_left(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_long_comment_is_cut() -> None:
    for unit in ("s", "*", "$", "k", "u*"):  # and takes no time that grows
        assert quoted("f" + unit * 60_000).startswith(f"“f{unit}")
    assert quoted("x" * 500) == f"“{'x' * 159}…”"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("read\u202etxt.exe", "readtxt.exe"),
        ("a\u2067b\u2069c\u200fd\u061ce", "abcde"),
        ("bell\x07 null\x00 escape\x1b[31m", "bell null escape[31m"),
        ("two\r\nBcc: all@example.com\u2028lines", "two Bcc: all@example.com lines"),
        ("@Everyone @here @channel @all", "@\u200bEveryone @\u200bhere @\u200bchannel @\u200ball"),
        ("@allison", "@allison"),
        ("<!channel> <b>", "\u2039!channel\u203a \u2039b\u203a"),
        ("family 👨\u200d👩\u200d👧 stays", "family 👨\u200d👩\u200d👧 stays"),
    ],
)
def test_a_line_can_call_nobody_and_turn_nothing(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_a_quote_leads_nowhere() -> None:
    text = "buy at https://evil.example/x?y=1 or WWW.evil.example now, a.b is fine"
    assert quoted(text) == "“buy at [link] or [link] now, a.\u200bb is fine”"
