"""What an alert may not have seen yet, in the reader's words."""

from datetime import timedelta

from serving.locales.wording import wording
from serving.notify.render.content import Fact
from serving.notify.render.delays import missing
from serving.storage.source_delay import LateSource
from tests.serving.conftest import NOW
from tests.serving.notify.render.conftest import HOSTILE, rendered


def late(platform: str = "instagram", least: float = 4, most: float = 62) -> LateSource:
    """A platform that arrives so many minutes late."""
    span = timedelta(minutes=most)
    return LateSource(platform, timedelta(minutes=least), span, NOW - span, NOW)


def test_it_says_how_late_and_since_when() -> None:
    assert list(missing([late()], wording())) == [
        "Comments from instagram usually arrive 4 to 62 minutes late, so what was written there "
        "since 10:58 may be missing."
    ]
    assert list(missing([late()], wording("vi", "Asia/Ho_Chi_Minh"))) == [
        "Bình luận từ instagram thường đến muộn 4 đến 62 phút, nên những gì được viết ở đó từ "
        "17:58 có thể còn thiếu."
    ]


def test_a_delay_that_reaches_into_another_day_names_it() -> None:
    (sentence,) = missing([late(most=13 * 60)], wording())
    assert "up to 13 hours late" in sentence
    assert "since Mar 9, 2026, 23:00 UTC may" in sentence
    (sentence,) = missing([late(most=13 * 60)], wording(timezone="Asia/Ho_Chi_Minh"))
    assert "since 6:00 may" in sentence or "since 06:00 may" in sentence


def test_at_most_three_platforms_each_on_one_short_line() -> None:
    sentences = list(missing([late(f"p{number}") for number in range(5)], wording()))
    assert [sentence.split()[2] for sentence in sentences] == ["p0", "p1", "p2"]
    (sentence,) = missing([late(HOSTILE + "x" * 999)], wording())
    assert len(sentence) < 250
    assert sentence.isprintable()


def test_every_message_has_it_under_its_label() -> None:
    for reason in ("opened", "resolved"):
        facts = rendered(reason=reason, late_sources=(late(), late("x"))).items[0].facts
        assert [fact.label for fact in facts[-2:]] == ["Normal delay"] * 2
        assert facts[-2] == Fact("Normal delay", next(missing([late()], wording())))
    assert not any(fact.label == "Normal delay" for fact in rendered().items[0].facts)
