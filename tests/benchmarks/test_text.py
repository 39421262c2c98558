"""The text level of the crisis benchmark: comments, their delivery, and the engine's result."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.crisis import protocol
from benchmarks.crisis.bench import policy_for
from benchmarks.crisis.comments import AUDIENCES, CLASSES, ENDINGS, Pool, gather
from benchmarks.crisis.delivery import (
    BRIGADE_ACCOUNTS,
    BRIGADE_TEXTS,
    LATE,
    REPEATED,
    SPAM_ACCOUNTS,
    ArrivingStream,
    deliver,
)
from benchmarks.crisis.ours import run
from benchmarks.crisis.scoring import judge
from benchmarks.crisis.stream import Stream, generate
from benchmarks.crisis.text import BUDGET, feed, jobs
from monitoring.near_duplicates import RecentTexts, signature

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "sentiment"
MICRO = protocol.TIERS[1]
POLICY = policy_for(BUDGET)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """A hand-made audience whose classifier is right more often than not."""
    texts, rows, copies = [], {}, {}
    for label in CLASSES:
        bases = [f"{label} words number {chr(97 + i) * 4} of a comment" for i in range(20)]
        rows[label] = np.arange(len(texts), len(texts) + 20)
        texts += bases
        copies[label] = np.arange(len(texts), len(texts) + 20 * len(ENDINGS)).reshape(20, -1)
        texts += [base + ending for base in bases for ending in ENDINGS]
    scores = np.full((len(texts), 3), 0.1)
    for high, label in enumerate(CLASSES):
        scores[rows[label], high] = scores[copies[label].ravel(), high] = 0.8
    return Pool("by hand", tuple(texts), scores, rows, copies)


def find(kind: str) -> Stream:
    """The first micro KOL of the calibration seed with an incident of a kind."""
    for index in range(1, 200, 5):
        stream = generate(protocol.CALIBRATION_SEED, index, MICRO)
        if any(incident.kind == kind for incident in stream.incidents):
            return stream
    raise AssertionError(kind)


@pytest.fixture(scope="module")
def spammed(pool: Pool) -> tuple[Stream, ArrivingStream]:
    stream = find("spam")
    return stream, deliver(stream, pool, np.random.default_rng(1))


def test_the_comments_are_the_counts(spammed, pool):
    stream, delivery = spammed
    minute = (delivery.created // 60).astype(int)
    assert (np.bincount(minute, minlength=protocol.MINUTES) == stream.comments).all()
    negative = np.isin(
        delivery.text, np.concatenate([pool.rows["negative"], pool.copies["negative"].ravel()])
    )
    found = np.bincount(minute[negative], minlength=protocol.MINUTES)
    assert (found == stream.truth.negative).all()
    assert (np.diff(delivery.created) >= 0).all()


def test_comments_come_late_out_of_order_and_twice(spammed):
    _, delivery = spammed
    count = len(delivery.created)
    assert (np.diff(delivery.arrival) >= 0).all()
    assert (delivery.arrival >= delivery.created[delivery.order]).all()
    times = Counter(delivery.order.tolist())
    assert set(times) == set(range(count))
    assert set(times.values()) == {1, 2}
    assert len(delivery.order) / count - 1 == pytest.approx(REPEATED, abs=0.006)
    delay = delivery.arrival - delivery.created[delivery.order]
    first = np.array([delay[i] for i, n in enumerate(delivery.order.tolist()) if times[n] == 1])
    assert (first > 300).mean() == pytest.approx(LATE, abs=0.01)
    assert (np.diff(delivery.created[delivery.order]) < 0).any()


def test_regulars_are_zipf_distributed(spammed):
    _, delivery = spammed
    ranked = [n for _, n in Counter(delivery.author.tolist()).most_common(40)]
    assert ranked[0] > 3 * ranked[9] > 6 * ranked[39] > 0


def test_spam_is_one_text_of_a_few_accounts(spammed, pool):
    stream, delivery = spammed
    (spam,) = [one for one in stream.incidents if one.kind == "spam"]
    inside = (delivery.created >= 60 * spam.start) & (delivery.created < 60 * spam.end)
    campaign = inside & (delivery.author >= 1_000_000)
    normal = stream.comments[: spam.start].mean() * (spam.end - spam.start)
    assert campaign.sum() > 3 * normal
    assert SPAM_ACCOUNTS[0] <= len(set(delivery.author[campaign].tolist())) < SPAM_ACCOUNTS[1]
    texts = {pool.texts[row] for row in delivery.text[campaign].tolist()}
    assert len(texts) <= len(ENDINGS)
    seen = RecentTexts([])
    assert sum(not seen.add(signature(text)) for text in sorted(texts)) == 1
    assert not (delivery.author[~inside] >= 1_000_000).any()


def test_the_same_seed_delivers_the_same(spammed, pool):
    stream, delivery = spammed
    again = deliver(stream, pool, np.random.default_rng(1))
    assert np.array_equal(again.arrival, delivery.arrival)
    assert np.array_equal(again.text, delivery.text)
    other = deliver(stream, pool, np.random.default_rng(2))
    assert not np.array_equal(other.arrival[:100], delivery.arrival[:100])


def test_a_stream_without_truth_cannot_be_read(pool):
    zero = np.zeros(protocol.MINUTES, dtype=np.int64)
    with pytest.raises(ValueError, match="mid-0 has no truth"):
        deliver(Stream("mid-0", "mid", zero, zero, zero, ()), pool, np.random.default_rng(0))


def test_the_text_level_pages_a_little_later_than_the_count_level(pool):
    stream = find("flash")
    result = feed(deliver(stream, pool, np.random.default_rng(3)), POLICY)
    read = judge(stream, result.pages, result.resolutions)
    counted = run(stream, POLICY)
    count = judge(stream, counted.pages, counted.resolutions)
    (one,) = [crisis for crisis in read.caught if crisis.kind == "flash"][:1]
    (other,) = [crisis for crisis in count.caught if crisis.kind == "flash"][:1]
    assert one.delay is not None
    assert other.delay is not None
    assert abs(one.delay - other.delay) <= 10
    assert one.delay >= 2  # the minutes stay open for that long
    assert result.late / result.delivered < 0.06
    assert result.repeats > 0
    assert len(result.pages) == len(result.kinds)


def storm_then_silence(pool: Pool, hours: int) -> ArrivingStream:
    """A fortnight of calm, twenty minutes of storm, then nothing for some hours."""
    rng = np.random.default_rng(4)
    calm = np.sort(rng.uniform(0, 14 * 86_400, 2_000))
    onset = 14 * 86_400.0
    storm = np.sort(onset + rng.uniform(0, 1_200, 60))
    created = np.concatenate([calm, storm, [onset + 1_200 + 3_600.0 * hours]])
    text = np.concatenate(
        [
            rng.choice(pool.rows["positive"], len(calm)),
            rng.choice(pool.rows["negative"], len(storm) + 1),
        ]
    )
    order = np.arange(len(created))
    return ArrivingStream("kol", pool, created, text, order, order, created + 5.0)


def test_silence_does_not_hold_back_the_page_nor_the_end(pool):
    """Six comments an hour that stop look like an outage: only the longest ends the incident."""
    delivery = storm_then_silence(pool, hours=80)
    result = feed(delivery, POLICY)
    onset = 14 * 1_440
    (page,) = result.pages
    assert onset < page <= onset + 20 + 4
    ((paged, resolved),) = result.resolutions
    longest = POLICY.longest.total_seconds() / 60
    assert paged == page
    assert page + longest <= resolved < onset + 79 * 60


def test_a_storm_as_the_last_thing_before_a_short_silence_is_not_yet_over(pool):
    result = feed(storm_then_silence(pool, hours=1), POLICY)
    assert len(result.pages) == 1
    assert result.resolutions == []


def test_every_tier_gets_its_kols_and_audiences_take_turns(pool):
    pools = [pool] * 2
    work = jobs(5, pools, {"nano": 3, "mega": 1})
    assert [job.index for job in work] == [4, 0, 5, 10]
    assert {job.seed for job in work} == {5}


def test_a_brigade_copies_a_few_texts_of_a_few_accounts(pool):
    stream = find("brigade")
    delivery = deliver(stream, pool, np.random.default_rng(6))
    (brigade,) = [one for one in stream.incidents if one.kind == "brigade"][:1]
    inside = (delivery.created >= 60 * brigade.start) & (delivery.created < 60 * brigade.end)
    campaign = inside & (delivery.author >= 1_000_000)
    assert campaign.sum() > 60
    accounts = len(set(delivery.author[campaign].tolist()))
    assert BRIGADE_ACCOUNTS[0] <= accounts < BRIGADE_ACCOUNTS[1]
    bases = {
        int(np.flatnonzero(pool.copies["negative"] == row)[0]) for row in delivery.text[campaign]
    }
    assert BRIGADE_TEXTS[0] <= len({at // len(ENDINGS) for at in bases}) < BRIGADE_TEXTS[1]


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data")
@pytest.mark.parametrize("name", AUDIENCES)
def test_every_audience_has_all_classes_and_texts_to_repeat(name):
    texts, rows, copies = gather(SHARED, name)
    people = sum(len(part) for part in rows.values())
    assert len(texts) == people + sum(part.size for part in copies.values())
    for label, part in rows.items():
        assert len(part) > 100, label
        assert copies[label].shape[1] == len(ENDINGS)
        first = copies[label][:, 0]
        assert all(texts[row] in {texts[one] for one in part.tolist()} for row in first.tolist())


def test_missing_sets_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"wisesight\.val\.parquet is missing"):
        gather(tmp_path, "wisesight")
