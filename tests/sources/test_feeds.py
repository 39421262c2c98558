"""Feeds as sites write them: named KOLs, RSS and Atom, pages for people, changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from serving.clock import TestClock
from serving.sources.faults import BadAnswer, Misconfigured
from serving.sources.kol_accounts import KolAccount
from serving.sources.platforms.rss import names_of
from serving.sources.registry import source_types
from serving.sources.source import Poller
from tests.sources.fakes.rss import FeedServer
from tests.sources.source_harness import SourceHarness, harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>News</title>
<item><guid>1</guid><title>Lena Park &amp; Mira</title>
<description>&lt;p&gt;They &lt;b&gt;met&lt;/b&gt;.&lt;/p&gt;</description>
<pubDate>Mon, 30 Nov 2026 13:00:00 +0700</pubDate></item>
<item><link>https://news.example.com/2</link><title>Parking lot</title>
<pubDate>Tue, 01 Dec 2026 13:00:00 GMT</pubDate></item>
<item><title>no id</title></item>
</channel></rss>"""
KOLS = (
    KolAccount("lena", "Lena Park", None),
    KolAccount("mira", None, "@mira"),
    KolAccount("nobody", None, None),
    KolAccount("al", "Al", None),
)


class WrittenFeed(FeedServer):
    """Answers with a text."""

    body = RSS

    def answer(self, request: Request) -> Response:
        return Response(self.body, mimetype="application/rss+xml")


@asynccontextmanager
async def feed(body: str = RSS, **changes: Any) -> AsyncIterator[tuple[SourceHarness, WrittenFeed]]:
    clock = TestClock(NOW)
    fake = WrittenFeed(clock)
    fake.body = body
    await fake.start()
    kol = changes.pop("kol", True)
    fake_kol = type(fake).has_kol
    type(fake).has_kol = kol
    try:
        async with harness(
            source_types()["rss"], fake, clock, accounts=KOLS, changes=changes
        ) as tried:
            yield tried, fake
    finally:
        type(fake).has_kol = fake_kol
        await fake.stop()


async def test_an_entry_counts_for_every_kol_that_it_names() -> None:
    async with feed(only_named=True, kol=False) as (tried, _):
        (batch,) = await tried.drain()
    assert [(one.kol_id, one.comment_id) for one in batch.comments] == [
        ("lena", "1"),
        ("mira", "1"),
    ]
    (entry, _) = batch.comments
    assert entry.text == "Lena Park & Mira\nThey met."
    assert entry.created_at == datetime(2026, 11, 30, 6, 0, tzinfo=UTC)


async def test_every_entry_counts_for_the_kol_of_the_source() -> None:
    async with feed() as (tried, _):
        (batch,) = await tried.drain()
    assert [(one.comment_id, one.kol_id) for one in batch.comments] == [
        ("1", None),
        ("https://news.example.com/2", None),
    ]
    assert batch.comments[1].created_at == NOW  # it says that it is from tomorrow
    assert batch.history


async def test_nothing_comes_again_unless_it_was_changed() -> None:
    async with feed() as (tried, fake):
        await tried.drain()
        (nothing,) = await tried.drain()
        assert (nothing.comments, nothing.history) == ((), False)
        fake.body = RSS.replace("They ", "We ")
        (changed,) = await tried.drain()
    assert [one.text for one in changed.comments] == ["Lena Park & Mira\nWe met."]


@pytest.mark.parametrize(
    "body", ["<html><body>News</body></html>", "", RSS[:-20], "</rss>", "{}</feed>"]
)
async def test_what_is_no_feed_is_a_bad_answer(body: str) -> None:
    async with feed(body) as (tried, _):
        assert isinstance(tried.source, Poller)
        with pytest.raises(BadAnswer):
            await tried.source.poll(None)


async def test_entities_of_xml_are_not_fetched_and_do_not_grow(tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("hunter2")
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    outside = f'<!DOCTYPE x [<!ENTITY b SYSTEM "file://{tmp_path}/passwords">]>'
    for head in (bomb, outside):
        body = RSS.replace("<rss", f"{head}<rss").replace("Parking lot", "&b; lot")
        async with feed(body) as (tried, _):
            (batch,) = await tried.drain()
        assert all(len(one.text) < 200 and "hunter2" not in one.text for one in batch.comments)


async def test_somebody_must_be_meant() -> None:
    with pytest.raises(Misconfigured):
        async with feed(only_named=False, kol=False):
            pass


def test_names_are_whole_words() -> None:
    pattern = names_of(KOLS[0])
    assert pattern is not None
    assert pattern.search("the LENA PARK affair")
    assert not pattern.search("Elena Parker")
    assert names_of(KOLS[3]) is None  # too short to mean anybody
