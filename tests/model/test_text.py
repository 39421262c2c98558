import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text import normalise

LETTERS = st.text(st.characters(categories=["Ll", "Lu", "Lo", "Nd", "Zs"]), max_size=60)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("plain text stays", "plain text stays"),
        ("Case STAYS", "Case STAYS"),
        ("  white \n\t space  ", "white space"),
        ("fish &amp; chips &lt;3", "fish & chips <3"),
        ("twice &amp;amp; coded", "twice & coded"),
        ("don\\u2019t", "don’t"),
        ("\\ud83d\\ude21 angry", "😡 angry"),
        ("\ud83d\ude21", "😡"),
        ("lone \ud800 half", "lone half"),
        ("\\u12 not an escape", "\\u12 not an escape"),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("𝓯𝓪𝓷𝓬𝔂", "fancy"),
        ("see https://t.co/Ab1?x=y#z now", "see http now"),
        ("see www.example.com/a", "see http"),
        ("pic.twitter.com/AbC", "http"),
        ("这个https://t.cn/abc好", "这个http好"),
        ("@kim_99 hello", "@user hello"),
        ("@a @b @c hello", "@user hello"),
        ("hi @Kim.Jane!", "hi @user!"),
        ("@united님 감사", "@user님 감사"),
        ("@bếpnhàmai ngon", "@user ngon"),
        ("@먹방지니 최고", "@user 최고"),
        ("@小明你真棒", "@小明你真棒"),
        ("see imgur.com/a/xY1 and shopee.vn/p?i=2", "see http and http"),
        ("naver.me/Gx3 참고", "http 참고"),
        ("yes/no, 4.5/5, e.g. this", "yes/no, 4.5/5, e.g. this"),
        ("mail me@example.com", "mail me@example.com"),
        ("sooooooo goooood", "sooo goood"),
        ("soo good", "soo good"),
        ("hahahahahaha", "hahaha"),
        ("!!!!!!!!", "!!!"),
        ("ㅋㅋㅋㅋㅋㅋㅋ", "\u110f\u110f\u110f"),
        ("😡😡😡😡😡😡", "😡😡😡"),
        ("👍🏽👍🏽👍🏽👍🏽👍🏽", "👍🏽👍🏽👍🏽"),
        ("10000000 views", "10000000 views"),
        ("❤\ufe0f love", "❤ love"),
        ("Tôi ghét", "Tôi ghét"),
        ("Tôi ghét".encode().decode(), "Tôi ghét"),
        ("e\u0301\u0301\u0301\u0301\u0301", "é\u0301\u0301"),
        ("", ""),
        ("\u200d\ufe0f", ""),
    ],
)
def test_table(raw: str, clean: str) -> None:
    assert normalise(raw) == clean


def test_handle_and_link_do_not_matter() -> None:
    assert normalise("@anna look http://a.b/c") == normalise("@bob look https://xyz.co/?q=1")


@given(st.text(st.characters(), max_size=200))
def test_any_text_gives_readable_text(raw: str) -> None:
    clean = normalise(raw)
    clean.encode("utf-8")
    assert clean == clean.strip()
    assert "\x00" not in clean


@given(LETTERS)
def test_normalised_text_stays(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once


def test_ten_thousand_emoji_and_a_megabyte_are_quick_to_read() -> None:
    assert normalise("😡" * 10_000) == "😡😡😡"
    assert len(normalise("word & " * 150_000)) == len("word & " * 150_000) - 1
