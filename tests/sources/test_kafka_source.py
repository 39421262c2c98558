"""What only a topic of Kafka has: partitions, offsets, messages that are no comments."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from serving.clock import TestClock
from serving.outgoing.address_rules import AddressRules
from serving.sources.faults import AccountGone, Misconfigured, PlatformUnavailable
from serving.sources.platforms.kafka import KafkaSource, KafkaSpec
from serving.sources.registry import source_types
from serving.sources.source_batch import SourceBatch
from tests.sources.fakes.kafka import KafkaBroker
from tests.sources.source_contract import comments_of, written
from tests.sources.source_harness import SourceHarness, harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
TYPE = source_types()["kafka"]


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def broker(clock: TestClock) -> AsyncIterator[KafkaBroker]:
    found = KafkaBroker(clock)
    await found.start()
    yield found
    await found.stop()


def ids(batches: list[SourceBatch]) -> list[str]:
    return [one.comment_id for one in comments_of(batches)]


async def test_it_continues_in_every_partition(broker: KafkaBroker, clock: TestClock) -> None:
    broker.publish(*written(10))
    async with harness(TYPE, broker, clock) as tried:
        assert sorted(ids(await tried.drain(10))) == sorted(f"c{n}" for n in range(10))
        cursor = tried.cursor
    assert cursor == {"offsets": {"0": 4, "1": 3, "2": 3}}
    broker.publish(*written(2, start=10))
    async with harness(TYPE, broker, clock, cursor=cursor) as again:
        assert sorted(ids(await again.drain(2))) == ["c10", "c11"]


async def test_what_was_there_is_history(broker: KafkaBroker, clock: TestClock) -> None:
    broker.publish(*written(10))
    async with harness(TYPE, broker, clock) as tried:
        stream = tried.source.read(None)  # type: ignore[attr-defined]
        found = [batch async for batch in _until(stream, 10)]
        assert {batch.history for batch in found if batch.comments} == {True}
        broker.publish(*written(1, start=10))
        (later,) = [batch async for batch in _until(stream, 1) if batch.comments]
        assert not later.history
        await stream.aclose()


async def _until(stream: Any, count: int) -> AsyncIterator[SourceBatch]:
    while count > 0:
        batch = await anext(stream)
        count -= len(batch.comments)
        yield batch


async def test_a_topic_from_its_end_brings_new_messages_only(
    broker: KafkaBroker, clock: TestClock
) -> None:
    broker.publish(*written(4))
    async with harness(TYPE, broker, clock, changes={"begin": "latest"}) as tried:
        stream = tried.source.read(None)  # type: ignore[attr-defined]
        first = await anext(stream)
        assert (first.comments, first.cursor) == ((), {"offsets": {"0": 2, "1": 1, "2": 1}})
        broker.publish(*written(1, start=4))
        assert ids([batch async for batch in _until(stream, 1)]) == ["c4"]
        await stream.aclose()


async def test_messages_that_are_no_comments_are_said_and_passed(
    broker: KafkaBroker, clock: TestClock
) -> None:
    good = {"comment_id": "c1", "text": "hi", "created_at": NOW.isoformat()}
    bad = [b"{", b"\xff", b'{"text":"no id"}', b"[" * 100_000, None]
    await broker.write([*bad, json.dumps([good, {**good, "comment_id": "c2"}]).encode()])
    async with harness(TYPE, broker, clock) as tried:
        batches = await tried.drain(2)
    assert ids(batches) == ["c1", "c2"]
    said = [fault for batch in batches for fault in batch.unreadable]
    assert len(said) == 4
    assert "partition 0, offset 0: it is not JSON in UTF-8" in said
    assert "partition 2, offset 0: it has no comment with an id at 'comment_id'" in said
    assert tried.cursor == {"offsets": {"0": 2, "1": 2, "2": 2}}


async def test_offsets_that_are_gone_lose_nothing(broker: KafkaBroker, clock: TestClock) -> None:
    """The topic was made anew: it ends before the offset."""
    broker.publish(*written(3))
    cursor = {"offsets": {"0": 900, "1": 900, "2": 0}}
    async with harness(TYPE, broker, clock, cursor=cursor) as tried:
        assert sorted(ids(await tried.drain(3))) == ["c0", "c1", "c2"]


async def test_a_broker_that_is_away_is_said(broker: KafkaBroker, clock: TestClock) -> None:
    await broker.crash()
    async with harness(TYPE, broker, clock) as tried:
        with pytest.raises(PlatformUnavailable, match="cannot be reached"):
            await tried.drain(1)


async def test_a_topic_that_is_not_there_is_said(broker: KafkaBroker, clock: TestClock) -> None:
    async with harness(TYPE, broker, clock, changes={"topic": "coments"}) as tried:
        with pytest.raises(AccountGone, match="no topic coments"):
            await tried.source.preview()


async def test_a_forbidden_address_is_never_connected_to(
    broker: KafkaBroker, clock: TestClock
) -> None:
    async with harness(TYPE, broker, clock) as tried:
        spec = KafkaSpec.model_validate(broker.settings())
        strict = KafkaSource(spec, replace(tried.context, rules=AddressRules()))
        with pytest.raises(Misconfigured, match=r"127\.0\.0\.1"):
            await strict.preview()


async def test_the_newest_messages_are_shown(broker: KafkaBroker, clock: TestClock) -> None:
    tried: SourceHarness
    async with harness(TYPE, broker, clock) as tried:
        assert not (await tried.source.preview()).comments
        broker.publish(*written(60))
        shown = (await tried.source.preview()).comments
    assert len(shown) == 10
    assert min(int(one.comment_id[1:]) for one in shown) >= 30


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"servers": ["kafka.example.com"]}, "must be a host and a port"),
        ({"servers": []}, "at least 1"),
        ({"user": "ann"}, "belong together"),
        ({"user": "ann", "password": "x", "mechanism": "PLAIN"}, "set tls"),
        ({"topic": "a b"}, "match pattern"),
    ],
)
def test_settings_of_a_topic_that_cannot_work_are_refused(
    changes: dict[str, Any], words: str
) -> None:
    known = {"platform": "forum", "servers": ["k.example.com:9092"], "topic": "comments"}
    with pytest.raises(ValidationError, match=words):
        KafkaSpec.model_validate({**known, **changes})
