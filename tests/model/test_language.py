import socket
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from model import language
from model.language import UNKNOWN, identify
from model.text import normalise
from tests.model.conftest import NASTY

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "sentiment"
VAL = ("umsab", "wisesight", "indonlu_smsa", "smp2020_weibo_emo2sent", "goemotions", "nusax_senti")
COMMENTS = {
    "en": "I waited three weeks for this and it arrived broken",
    "vi": "Chị ơi cho em hỏi cái này giá bao nhiêu vậy ạ",
    "ja": "いつも楽しみに見ています、これからも頑張ってください",
    "ko": "배송이 너무 늦어서 실망했어요",
    "th": "ของสวยมากเลยค่ะ ส่งไวด้วย",
    "zh": "这个口红颜色真的太好看了",
    "es": "Me encanta tu canal, gracias por responder siempre a todos",
    "fr": "Je suis vraiment très déçue par la qualité de ce produit",
    "de": "Das Video war wirklich gut gemacht, vielen Dank dafür",
    "it": "Quanto costa la spedizione e quando arriva il pacco a casa",
    "pt": "Comprei duas camisas e nenhuma delas serviu, que decepção",
    "ar": "شكرا جزيلا على هذا الفيديو الرائع والمفيد",
    "hi": "भाई इसका दाम क्या है और कब तक मिलेगा",
    "id": "barangnya bagus sekali dan pengirimannya juga cepat, terima kasih",
    "ru": "Очень разочарована, больше никогда ничего у вас не куплю",
    "tr": "Bu kadar güzel bir video beklemiyordum, ellerine sağlık",
    "pl": "Bardzo dziękuję za pomoc, przesyłka dotarła następnego dnia",
    "el": "Πολύ ωραίο βίντεο, ευχαριστούμε πολύ για όλα",
    "he": "תודה רבה על הסרטון הזה, היה ממש מצוין",
    "my": "ဒီဗီဒီယိုကို အရမ်းကြိုက်တယ်",
    "km": "ខ្ញុំចូលចិត្តវីដេអូនេះណាស់",
}
SAYS_TOO_LITTLE = [
    "",
    "ok",
    "love it",
    "đẹp quá",
    "好看",
    "😍😍😍",
    "100 % !!!",
    "@lena https://example.org/a/b/c?d=these-are-words",
]


@pytest.mark.parametrize("code", COMMENTS)
def test_comments_of_a_sentence(code: str) -> None:
    assert identify(normalise(COMMENTS[code])) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("可愛すぎる", "ja"),
        ("太好看了", "zh"),
        ("너무예뻐요", "ko"),
        ("สวยมาก", "th"),
        ("ㅋㅋㅋㅋ", "ko"),
    ],
)
def test_a_word_without_spaces_is_letters_enough(text: str, code: str) -> None:
    assert identify(normalise(text)) == code


@pytest.mark.parametrize("text", SAYS_TOO_LITTLE)
def test_what_says_too_little_is_unknown(text: str) -> None:
    assert identify(normalise(text)) == UNKNOWN


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I have loved 방탄소년단 since their very first song", "en"),
        ("완전 예뻐요 최고예요 so pretty", "ko"),
        ("真の好吃,下次还来", "zh"),
    ],
)
def test_of_two_scripts_the_greater_part_counts(text: str, code: str) -> None:
    assert identify(normalise(text)) == code


def test_handles_links_and_emoji_change_nothing() -> None:
    for code, text in COMMENTS.items():
        assert (
            identify(normalise(f"@lena.official {text} 😡 https://example.org/x?y=1 2026")) == code
        )


def test_any_text_is_answered_and_always_alike() -> None:
    for text in (*NASTY, *map(normalise, NASTY), "a b\nc d\n", "word " * 100_000):
        assert identify(text) == identify(text)


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    language._detector.cache_clear()
    assert identify(COMMENTS["en"]) == "en"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([{"lang": "arz", "score": 0.9}], "ar"),
        ([{"lang": "ceb", "score": 0.6}], "ceb"),
        ([{"lang": "en", "score": 0.59}], UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_varieties_have_the_code_of_the_whole_and_guesses_none(
    said: list[dict[str, object]], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = SimpleNamespace(detect=lambda *_, **__: said)
    monkeypatch.setattr(language, "_detector", lambda: stub)
    assert identify("three words here") == code


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
def test_real_comments_are_seldom_taken_for_a_language_without_figures() -> None:
    found: Counter[str] = Counter()
    comments = pd.concat(pd.read_parquet(SHARED / f"{name}.val.parquet") for name in VAL)
    measured = set(comments["lang"])
    for text, lang in zip(comments["text"], comments["lang"], strict=True):
        code = identify(normalise(text))
        found["right" if code == lang else "unknown" if code == UNKNOWN else "wrong"] += 1
        found["foreign"] += code != UNKNOWN and code not in measured
    assert found["right"] >= 0.88 * len(comments), found
    assert found["foreign"] <= 0.002 * len(comments), found
