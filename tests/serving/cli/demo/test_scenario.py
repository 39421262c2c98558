"""The demo's story: deterministic, valid, and with the storm where its facts say."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest

from serving.cli.demo.cast import KOLS, SCENARIO, DemoKol
from serving.cli.demo.grammar import SOUR, Phrasebook, Scribe, Voices
from serving.cli.demo.scenario import SPAN, PlannedComment, generate, plan
from serving.ingest.comment import parse_comment

END = datetime(2026, 3, 2, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def items() -> list[dict[str, object]]:
    return generate(END)


def moments(kol_id: str, seed: int = 1) -> list[PlannedComment]:
    (kol,) = [kol for kol in KOLS if kol.kol_id == kol_id]
    return plan(kol, random.Random(seed))


def test_same_seed_same_comments(items: list[dict[str, object]]) -> None:
    assert generate(END) == items
    assert [i["text"] for i in generate(END, seed=21)] != [i["text"] for i in items]


def test_the_end_only_moves_the_times(items: list[dict[str, object]]) -> None:
    moved = generate((END + timedelta(hours=5)).astimezone(timezone(timedelta(hours=9))))
    assert [i["text"] for i in moved] == [i["text"] for i in items]
    assert all(
        datetime.fromisoformat(str(late["created_at"]))
        - datetime.fromisoformat(str(early["created_at"]))
        == timedelta(hours=5)
        for early, late in zip(items, moved, strict=True)
    )


def test_every_item_is_a_comment_in_order_and_unique(items: list[dict[str, object]]) -> None:
    comments = [parse_comment(item, now=END) for item in items]
    times = [comment.created_at for comment in comments]
    assert times == sorted(times)
    assert times[0] >= END - SPAN
    assert times[-1] <= END
    assert len({(c.platform, c.comment_id) for c in comments}) == len(comments)
    assert 3_000 <= len(comments) <= 4_500


def test_parents_came_before_under_the_same_post(items: list[dict[str, object]]) -> None:
    seen: dict[object, object] = {}
    replies = 0
    for item in items:
        if "parent_id" in item:
            replies += 1
            assert seen[item["parent_id"]] == item["post_id"]
        seen[item["comment_id"]] = item["post_id"]
    assert 0.1 < replies / len(items) < 0.3


def test_three_languages_and_fans_abroad(items: list[dict[str, object]]) -> None:
    own = {kol.kol_id: kol.language for kol in KOLS}
    spoken = {kol: Counter[object]() for kol in own}
    for item in items:
        spoken[str(item["kol_id"])][item["lang"]] += 1
    for kol, languages in spoken.items():
        assert set(languages) == {"en", "vi", "ko"}
        assert languages.most_common(1)[0][0] == own[kol]


def test_authors_are_many_and_uneven(items: list[dict[str, object]]) -> None:
    authors = Counter(item["author_id"] for item in items)
    assert len(authors) > 800
    assert 5 < authors.most_common(1)[0][1] < 0.05 * len(items)


def test_texts_are_varied(items: list[dict[str, object]]) -> None:
    texts = Counter(item["text"] for item in items)
    assert len(texts) > 0.7 * len(items)
    assert texts.most_common(1)[0][1] < 0.01 * len(items)


def test_the_storm_begins_where_the_facts_say_and_ends() -> None:
    def hostile(start: float, hours: float) -> float:
        span = [m for m in moments(SCENARIO.storm_kol) if start <= m.hour < start + hours]
        return sum(m.mood in SOUR for m in span) / hours

    storm = SCENARIO.storm_after / timedelta(hours=1)
    personal = SCENARIO.personal_after / timedelta(hours=1)
    assert hostile(storm - 6, 6) < 5
    assert hostile(storm, 1) > 25
    assert hostile(personal, 1) > 100
    assert hostile(44, 4) < 5


def test_it_turns_from_the_product_to_the_person_and_fans_stay() -> None:
    personal = SCENARIO.personal_after / timedelta(hours=1)
    story = moments(SCENARIO.storm_kol)
    before = Counter(m.mood for m in story if personal - 0.9 <= m.hour < personal)
    after = Counter(m.mood for m in story if personal <= m.hour < personal + 2)
    later = Counter(m.mood for m in story if personal + 6 <= m.hour < personal + 9)
    assert before["review"] > 10 > before["personal"]
    assert after["personal"] > after["review"]
    assert later["defend"] + later["recover"] > later["personal"] + later["review"]


@pytest.mark.parametrize("kol", [SCENARIO.praised_kol, SCENARIO.ordinary_kol])
def test_the_others_stay_calm(kol: str) -> None:
    for start in range(0, 48, 3):
        span = [m for m in moments(kol) if start <= m.hour < start + 3]
        sour = sum(m.mood in SOUR for m in span)
        assert sour < 10 or sour / len(span) < 0.3


def test_the_praise_surge_is_a_surge() -> None:
    story = Counter(int(m.hour) for m in moments(SCENARIO.praised_kol) if m.mood == "charity")
    assert max(story.values()) > 80


@pytest.mark.parametrize("kol", KOLS, ids=lambda kol: kol.kol_id)
def test_every_line_can_be_filled(kol: DemoKol) -> None:
    book = Phrasebook.load(kol.book)
    scribe = Scribe(book, Voices.load(), random.Random(3))
    for language, moods in book.lines.items():
        assert language in {kol.language, *kol.abroad}
        for mood, lines in moods.items():
            assert len(set(lines)) == len(lines)
            for _ in range(4 * len(lines)):
                text = scribe.write(language, mood)
                assert text == text.strip()
                assert "{" not in text
                assert 1 <= len(text) < 400
