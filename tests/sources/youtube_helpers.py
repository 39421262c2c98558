"""What the tests of the YouTube source share."""

from datetime import datetime

from serving.sources.registry import source_types
from serving.sources.source import Poller
from serving.sources.source_batch import SourceBatch
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.youtube import YouTubePlatform
from tests.sources.source_contract import NOW
from tests.sources.source_harness import SourceHarness

YOUTUBE = source_types()["youtube"]


def replies(count: int, parent: str, *, at: datetime = NOW) -> list[FakeComment]:
    """Replies to a comment."""
    return [
        FakeComment(f"{parent}.r{n}", f"Reply {n} to {parent}", at, parent_id=parent)
        for n in range(count)
    ]


async def one_poll(tried: SourceHarness) -> SourceBatch:
    """Poll once, and keep the cursor."""
    assert isinstance(tried.source, Poller)
    batch = await tried.source.poll(tried.cursor)
    tried.cursor = batch.cursor
    return batch


def asked(fake: YouTubePlatform, path: str, **params: str) -> int:
    """How often a path was asked with these parameters."""
    return sum(
        one.path == path and all(one.args.get(name) == value for name, value in params.items())
        for one in fake.requests
    )
