import json
from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.audience import audience_of
from monitoring.drivers import Drivers, explain
from monitoring.evidence import Evidence
from monitoring.terms import terms_of
from tests.monitoring.streams import START, scored

SECOND = timedelta(seconds=1)


def comments(texts, negative, first=0, **more):
    return [
        scored(START + number * SECOND, number, negative, text=text, author=f"u{number}", **more)
        for number, text in enumerate(texts, first)
    ]


# Per language: usual comments, comments of the incident, and a term that must be found.
LANGUAGES = {
    "en": (
        ["love this look", "so pretty today", "where is the dress from", "great video again"],
        ["this cream burned my skin", "my skin burned after the cream", "the cream is a scam"],
        "cream",
    ),
    "vi": (
        ["chị xinh quá", "video hay lắm chị ơi", "đẹp tuyệt vời", "em thích lắm"],
        ["kem trộn lừa đảo", "bán kem trộn mà im lặng", "lừa đảo khách hàng, kem trộn"],
        "kem trộn",
    ),
    "ko": (
        ["언니 너무 예뻐요", "오늘 영상 재밌어요", "옷 정보 알려주세요", "항상 응원해요"],
        ["뒷광고 실망이에요", "뒷광고였다니 충격", "이게 뒷광고라고요?"],
        "뒷광고",
    ),
    "th": (
        ["สวยมากเลยค่ะ", "น่ารักจัง", "ชอบคลิปนี้มาก", "รอคลิปใหม่นะคะ"],
        ["ครีมนี้โกงลูกค้า", "โกงกันชัดๆ", "เขาโกงเรามานานแล้ว"],
        "โกง",
    ),
    "zh": (
        ["今天好漂亮", "这个视频太好看了", "衣服在哪里买", "永远支持你"],
        ["这是虚假宣传", "又是虚假宣传真恶心", "虚假宣传还不道歉"],
        "虚假宣传",
    ),
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_word_of_the_storm_is_found_in_any_script(lang):
    usual, storm, word = LANGUAGES[lang]
    incident = comments(storm * 8, 0.9) + comments(usual * 3, 0.05, first=100)
    baseline = comments(usual * 30, 0.05, first=1000)
    found = [term.text for term in explain(incident, baseline).terms]
    assert found[0] in word or word in found[0]


def test_terms_that_are_normal_are_left_out():
    same = ["love this look", "so pretty today", "great video again"]
    drivers = explain(comments(same * 10, 0.1), comments(same * 10, 0.1, first=100))
    assert drivers.terms == ()


def test_handles_and_links_are_no_terms():
    assert terms_of("@lena see https://example.org/x?y=1 now") == {"see", "now", "see now"}


def test_posts_are_ranked_by_excess_negatives():
    loud = comments(["fine"] * 100, 0.1, post_id="loud")
    bad = comments(["awful"] * 20, 0.9, first=200, post_id="bad")
    drivers = explain(loud + bad, [], expected_share=0.1)
    assert [post.post_id for post in drivers.posts] == ["bad", "loud"]
    assert drivers.posts[0].negative == pytest.approx(18.0)
    assert drivers.posts[0].expected_negative == pytest.approx(2.0)
    assert drivers.posts[0].excess == pytest.approx(16.0)
    assert drivers.posts[1].excess == pytest.approx(0.0)


def test_samples_are_negative_diverse_and_by_different_authors():
    texts = ["this cream burned my skin badly"] * 5 + ["you lied to all of us for money"]
    drivers = explain(comments(texts, 0.95) + comments(["love you"], 0.01, first=50), [])
    assert {sample.text for sample in drivers.representative} == set(texts)
    assert len(drivers.representative) == 2


def test_most_liked_negative_comments_come_first():
    kind = scored(START, 1, 0.1, likes=999)
    mild = scored(START, 2, 0.8, likes=5)
    loud = scored(START, 3, 0.8, likes=50)
    none = scored(START, 4, 0.8)
    drivers = explain([kind, mild, loud, none], [])
    assert [sample.comment_id for sample in drivers.most_liked] == ["3", "2"]


def test_audience_of_a_brigade_is_coordinated():
    incident = [
        scored(START + n * SECOND, n, 0.95, text="boycott this liar now!!", author=f"bot{n % 6}")
        for n in range(60)
    ]
    baseline = comments(["so nice to see you"] * 40, 0.05, first=500)
    audience = explain(incident, baseline).audience
    assert audience.verdict == "coordinated"
    assert audience.authors == 6
    assert audience.top_author_share == pytest.approx(1 / 6)
    assert audience.newcomer_share == 1.0
    assert audience.near_duplicate_share > 0.9
    assert any("nearly repeat" in reason for reason in audience.reasons)


def test_loyal_authors_who_turn_are_counted():
    baseline = comments(["always with you my dear"] * 40, 0.05)
    texts = [
        "I believed in you for years and now this",
        "Unfollowing today, what a letdown",
        "My daughter cried because of your joke",
        "Give the money back to the charity",
        "We made you famous, remember that",
        "Never thought I would write something like this here",
        "Apologise properly instead of deleting answers",
    ]
    audience = explain(comments(texts, 0.9), baseline).audience
    assert audience.verdict == "organic"
    assert audience.turned_share == 1.0
    assert audience.newcomer_share == 0.0


def said_by(authors, negative, first):
    """One comment by each, all with the same score."""
    return [
        scored(START + n * SECOND, n, negative, author=author, text=f"{author} says {n}")
        for n, author in enumerate(authors, first)
    ]


def test_fans_who_turned_and_fans_who_stayed_are_numbers():
    fans = [f"fan{n}" for n in range(10)]
    critics = [f"critic{n}" for n in range(5)]
    baseline = said_by(fans * 2, 0.1, 1000) + said_by(critics, 0.9, 2000)
    incident = (
        said_by(fans[:6], 0.9, 1)  # believed that they had made her famous
        + said_by(fans[6:9] * 2, 0.05, 100)  # carry her through
        + said_by(critics[:2], 0.95, 200)
        + said_by(["new1", "new2", "new3", "new3"], 0.99, 300)
    )
    who = audience_of(incident, baseline)
    assert (who.authors, who.regulars, who.loyal) == (14, 11, 9)
    assert (who.loyal_turned, who.loyal_defending) == (6, 3)
    assert who.newcomer_share == pytest.approx(4 / 18)
    assert who.newcomer_negative == pytest.approx(0.99)
    assert who.regular_negative == pytest.approx((6 * 0.9 + 6 * 0.05 + 2 * 0.95) / 14)
    assert who.regular_positive == pytest.approx(1 - who.regular_negative)
    # Of the same eleven people: the fan and the critics who are silent now do not count.
    assert who.regular_negative_usual == pytest.approx((18 * 0.1 + 2 * 0.9) / 20)
    assert who.regular_positive_usual == pytest.approx(1 - who.regular_negative_usual)


def test_without_a_baseline_nobody_is_a_regular():
    who = audience_of(said_by(["a", "b"], 0.9, 1), [])
    assert (who.authors, who.regulars, who.loyal, who.newcomer_share) == (2, None, None, None)


def test_of_newcomers_only_nothing_is_said_of_regulars():
    who = audience_of(said_by(["a", "b"], 0.9, 1), said_by(["c"], 0.1, 100))
    assert (who.regulars, who.loyal, who.loyal_turned) == (0, 0, 0)
    assert who.regular_negative is who.regular_positive_usual is None
    assert who.newcomer_negative == pytest.approx(0.9)


def offensive(found, value):
    return [replace(comment, offensive=value) for comment in found]


def test_the_offensive_share_is_compared_with_the_baseline():
    drivers = explain(
        offensive(comments(["you liar"] * 3, 0.9), 0.6) + comments(["hm"], 0.5, first=50),
        offensive(comments(["so nice"] * 9, 0.1, first=100), 0.05),
    )
    assert drivers.offensive_share == pytest.approx(0.6)  # of those of whom it is known
    assert drivers.offensive_usual == pytest.approx(0.05)
    assert explain(comments(["so nice"], 0.1), []).offensive_usual is None


def evidence(count):
    later = START + 10 * SECOND
    return Evidence(START, later, START, count, 0.9 * count, 1.0, 0.1, 9.0, (), None, "It rose.")


def test_what_stands_out_of_the_drivers_is_a_sentence():
    fans = [f"fan{n}" for n in range(24)]
    baseline = offensive(said_by(fans, 0.1, 1000), 0.04)
    incident = offensive(said_by(fans[:20], 0.9, 1), 0.35)
    drivers = explain(incident + said_by(fans[20:], 0.1, 100), baseline)
    told = evidence(24).explained(drivers, aloud=True)
    assert told.drivers is drivers
    assert told.summary == (
        "It rose. Of 24 loyal fans who commented, 20 turned negative and 4 stayed positive. "
        "35% of the comments are offensive. Normal: 4%."
    )
    assert evidence(24).explained(drivers, aloud=False).summary == "It rose."


def test_what_does_not_stand_out_is_no_sentence():
    fans = [f"fan{n}" for n in range(4)]
    few = explain(offensive(said_by(fans, 0.9, 1), 0.4), offensive(said_by(fans, 0.1, 1000), 0.04))
    assert evidence(4).explained(few, aloud=True).summary == "It rose."
    calm = explain(
        offensive(said_by(fans * 6, 0.9, 1), 0.1), offensive(said_by(fans, 0.1, 1000), 0.04)
    )
    assert evidence(24).explained(calm, aloud=True).summary == "It rose."


def test_unknown_authors_stay_unknown():
    audience = explain([scored(START, 1, 0.9, author=None)], []).audience
    assert audience.authors is None
    assert audience.top_author_share is None


def test_nothing_is_explained_by_nothing():
    drivers = explain([], [])
    assert drivers.posts == drivers.terms == drivers.representative == ()
    assert drivers.offensive_share is None


def test_drivers_read_back():
    usual, storm, _ = LANGUAGES["ko"]
    drivers = explain(
        comments(storm * 4, 0.9, post_id="p", lang="ko", likes=3), comments(usual * 9, 0.1)
    )
    written = drivers.to_dict()
    assert json.loads(json.dumps(written)) == written
    assert Drivers.from_dict(written) == drivers


def test_drivers_stored_before_the_regulars_were_counted_are_read():
    drivers = explain(comments(["so sad"] * 4, 0.9), comments(["so nice"] * 4, 0.1))
    stored = drivers.to_dict()
    del stored["offensive_usual"]
    kept = (
        "authors", "top_author_share", "top_five_share", "newcomer_share", "turned_share",
        "near_duplicate_share", "verdict", "reasons",
    )  # fmt: skip
    stored["audience"] = {name: stored["audience"][name] for name in kept}
    assert Drivers.from_dict(stored).audience.loyal is None
