"""The catalogues: every text is in each of them, and its placeholders are the same."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from serving.locales.wording import languages, time_zone, wording

SERVING = Path(__file__).parents[4] / "serving"
KEYWORDS = {"text": None, "plural": (1, 2), "msg": None}
AT = datetime(2026, 3, 10, 18, 5, tzinfo=UTC)


def texts() -> set[str | tuple[str, ...]]:
    found: set[str | tuple[str, ...]] = set()
    for room in ("access", "api", "charts", "locales", "notify", "reports", "web"):
        for _, _, message, _, _ in extract_from_dir(
            str(SERVING / room), method_map=[("**.py", "python")], keywords=KEYWORDS
        ):
            found.add(message)
    return found


def test_no_text_hides_where_the_extraction_does_not_look() -> None:
    for file in SERVING.rglob("*.py"):  # within an f-string
        assert not re.search(r"\{[^{}]*\.(?:text|plural)\(['\"]", file.read_text()), file


def catalogue(language: str) -> Catalog:
    with (SERVING / "locales" / f"{language}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", [name for name in languages() if name != "en"])
def test_every_text_is_translated_with_its_placeholders(language: str) -> None:
    wanted = texts()
    assert len(wanted) > 60
    read = catalogue(language)
    assert not any(message.fuzzy for message in read if message.id)
    have = {message.id: message.string for message in read if message.id}
    assert set(have) == wanted
    for source, translation in have.items():
        forms = translation if isinstance(translation, tuple) else (translation,)
        assert len(forms) == (read.num_plurals if isinstance(source, tuple) else 1)
        for form in forms:
            assert form.strip(), source
            text = source if isinstance(source, str) else source[-1]
            assert placeholders(form) == placeholders(text)


def test_vietnamese_is_there() -> None:
    assert languages() == ("en", "vi")
    assert wording("vi").text("Acknowledge") == "Tiếp nhận xử lý"


def test_numbers_and_times_are_written_as_the_reader_does() -> None:
    english, vietnamese = wording(), wording("vi", "Asia/Ho_Chi_Minh")
    assert english.number(12345.678, 1) == "12,345.7"
    assert vietnamese.number(12345.678, 1) == "12.345,7"
    assert english.moment(AT) == "Mar 10, 2026, 18:05 UTC"
    assert vietnamese.moment(AT) == "11 thg 3, 2026, 1:05 UTC+7"
    assert wording(timezone="America/St_Johns").zone_name(AT) == "UTC-2:30"


@pytest.mark.parametrize(
    ("minutes", "english", "vietnamese"),
    [(1, "1 minute", "1 phút"), (119, "119 minutes", "119 phút"), (120, "2 hours", "2 giờ"),
     (72 * 60, "3 days", "3 ngày")],
)  # fmt: skip
def test_spans(minutes: int, english: str, vietnamese: str) -> None:
    span = timedelta(minutes=minutes)
    assert (wording().span(span), wording("vi").span(span)) == (english, vietnamese)


@pytest.mark.parametrize(
    ("least", "most", "english", "vietnamese"),
    [(0, 0.2, "up to 1 minute", "tối đa 1 phút"), (4, 62, "4 to 62 minutes", "4 đến 62 phút"),
     (0.4, 62, "up to 62 minutes", "tối đa 62 phút"), (8.6, 9, "about 9 minutes", "khoảng 9 phút"),
     (29, 120, "up to 2 hours", "tối đa 2 giờ"), (60, 1380, "1 to 23 hours", "1 đến 23 giờ"),
     (900, 7200, "1 to 5 days", "1 đến 5 ngày")],
)  # fmt: skip
def test_ranges_of_spans(least: float, most: float, english: str, vietnamese: str) -> None:
    spans = timedelta(minutes=least), timedelta(minutes=most)
    assert wording().span_range(*spans) == english
    assert wording("vi").span_range(*spans) == vietnamese


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "a\x00b"])
def test_an_unknown_time_zone_is_said_to_be(name: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        time_zone(name)


def test_an_unknown_language_is_said_to_be() -> None:
    with pytest.raises(ValueError, match="must be one of en, vi"):
        wording("tlh")
