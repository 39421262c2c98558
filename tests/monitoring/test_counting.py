from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.counting import WindowCounter
from monitoring.event_time import minute_of
from monitoring.near_duplicates import RecentTexts, signature
from tests.monitoring.streams import START, scored

LATENESS = timedelta(minutes=2)
SECOND = timedelta(seconds=1)


def counter() -> WindowCounter:
    return WindowCounter("lena", LATENESS)


def test_a_minute_closes_when_the_watermark_passes_its_end():
    windows = counter()
    windows.add(scored(START, 1, 0.25))
    windows.add(scored(START + 30 * SECOND, 2, 0.5))
    windows.add(scored(START + 179 * SECOND, 3))
    assert windows.close() == []
    windows.add(scored(START + 180 * SECOND, 4))
    (closed,) = windows.close()
    assert closed.start == START
    assert (closed.comments, closed.negative, closed.positive) == (2, 0.75, 1.25)
    assert closed.authors == 1
    assert closed.top_author_share == 1.0


def test_a_comment_for_a_closed_minute_is_late_and_not_counted():
    windows = counter()
    windows.add(scored(START + 10 * 60 * SECOND, 1))
    windows.close()
    assert windows.add(scored(START, 2)) == (True, False)
    assert windows.state.late == 1
    windows.reach((START + timedelta(hours=1)).timestamp())
    assert [window.comments for window in windows.close()] == [1]


def test_a_late_comment_may_be_the_newest_of_a_minute_that_silence_closed():
    windows = counter()
    windows.add(scored(START, 1))
    windows.settle(minute_of(START) + 1)
    written = START + 50 * SECOND
    assert windows.add(scored(written, 2), START + 30 * SECOND) == (True, False)
    assert windows.state.latest == (START + 30 * SECOND).timestamp()
    assert windows.add(scored(written, 3)) == (True, False)
    assert windows.state.latest == written.timestamp()
    assert windows.close() == []


def test_a_repeat_in_an_open_minute_is_counted_once():
    windows = counter()
    assert windows.add(scored(START, 1)) == (False, False)
    assert windows.add(scored(START, 1)) == (False, True)
    assert windows.state.repeats == 1
    windows.reach((START + timedelta(hours=1)).timestamp())
    assert [window.comments for window in windows.close()] == [1]


def test_unknown_authors_are_not_guessed():
    windows = counter()
    windows.add(scored(START, 1, author="a"))
    windows.add(scored(START, 2, author=None))
    windows.reach((START + timedelta(hours=1)).timestamp())
    (closed,) = windows.close()
    assert closed.authors is None
    assert closed.top_author_share is None


def test_near_duplicates_are_shared_out():
    windows = counter()
    for number in range(4):
        text = f"Shame on you, never buying this brand again!!! {number}"
        windows.add(scored(START + number * SECOND, number, text=text))
    windows.reach((START + timedelta(hours=1)).timestamp())
    assert windows.close()[0].duplicate_share == pytest.approx(0.75)


@pytest.mark.parametrize(("negative", "counted"), [(0.45, 0.45), (0.5, 2.0), (0.9, 3.6)])
def test_a_doubt_about_a_text_is_counted_once_however_often_it_is_repeated(negative, counted):
    windows = counter()
    for number in range(4):
        text = f"Follow my page for free skin care samples, only today {number}"
        windows.add(scored(START + number * SECOND, number, negative, text=text))
    windows.reach((START + timedelta(hours=1)).timestamp())
    (closed,) = windows.close()
    assert closed.comments == 4
    assert closed.negative == pytest.approx(counted)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_order_within_the_lateness_does_not_matter(data):
    gaps = data.draw(st.lists(st.integers(0, 40), min_size=2, max_size=30))
    at, comments = START, []
    for number, gap in enumerate(gaps):
        at += gap * SECOND
        negative = data.draw(st.floats(0, 1))
        comments.append(scored(at, number, negative, text=f"text {number % 3} is long enough"))
    # Every comment is delayed by less than the lateness.
    delays = [data.draw(st.integers(0, 119)) for _ in comments]
    order = sorted(
        range(len(comments)),
        key=lambda i: (comments[i].comment.created_at + delays[i] * SECOND, i),
    )
    end = (at + timedelta(hours=1)).timestamp()

    def run(sequence):
        windows, closed = counter(), []
        for comment in sequence:
            assert windows.add(comment) == (False, False)
            closed += windows.close()
        windows.reach(end)
        return closed + windows.close()

    assert run([comments[i] for i in order]) == run(comments)


def test_copies_with_small_changes_are_near_duplicates_and_others_are_not():
    texts = RecentTexts([])
    assert not texts.add(signature("이 광고 정말 실망스럽네요 다시는 안 삽니다"))
    assert texts.add(signature("이 광고 정말 실망스럽네요 다시는 안 삽니다!!! 😡"))
    assert not texts.add(signature("the concert last night was wonderful"))
    assert not texts.add(signature("lol"))
    assert not texts.add(signature("lol"))


def test_remembered_texts_are_bounded():
    kept: list[tuple[int, ...]] = []
    texts = RecentTexts(kept)
    first = signature("a first comment that is long enough to count")
    texts.add(first)
    for number in range(200):
        words = " ".join(chr(97 + (number * 7 + i * 11) % 26) * 3 for i in range(12))
        texts.add(signature(f"{words} {chr(97 + number % 26) * 9}"))
    assert len(kept) == 128
    assert first not in kept
