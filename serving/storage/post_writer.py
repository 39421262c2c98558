"""Writes many posts with few statements: what is there is read first, then only news is written."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import RowMapping, Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.comment_update import CommentOutcome
from serving.storage.instants import to_micros
from serving.storage.post_record import PostCounts, SentPost
from serving.storage.tables import kols, post_counts, post_kols, posts
from serving.storage.upsert import insert

CHANGING = ("text", "url", "created_at", "kind")
NUMBERS = ("likes", "comments", "shares", "views")
_AT_ONCE = 250
_Key = tuple[str, str]  # platform and id
_Values = dict[str, Any]
_T = TypeVar("_T")


@dataclass(slots=True)
class _StoredPost:
    """A post as it is in the database, or will be.

    Attributes:
        values: of its columns.
        kols: the KOLs who published it.
        readings: those of its readings that are sent again, by their times.
        new_kols: of `kols`, those to be written.
        new_readings: the times of the readings to be written.
        to_write: whether its own row is.
    """

    values: _Values
    kols: set[str] = field(default_factory=set)
    readings: dict[int, _Values] = field(default_factory=dict)
    new_kols: set[str] = field(default_factory=set)
    new_readings: set[int] = field(default_factory=set)
    to_write: bool = False

    def add(self, sent: SentPost) -> bool:
        """Take over what is new of a post; whether anything is."""
        news = {name: value for name in CHANGING if (value := getattr(sent, name)) is not None}
        if sent.created_at is not None:
            news["created_at"] = to_micros(sent.created_at)
        changed = any(self.values[name] != value for name, value in news.items())
        self.to_write |= changed
        self.values |= news
        further = sent.kols - self.kols
        self.kols |= further
        self.new_kols |= further
        read = [self._add_reading(reading) for reading in sent.counts]
        return changed or bool(further) or any(read)

    def _add_reading(self, reading: PostCounts) -> bool:
        numbers = {name: value for name in NUMBERS if (value := getattr(reading, name)) is not None}
        at = to_micros(reading.at)
        former = self.readings.get(at)
        if not numbers or (former is not None and former.items() >= numbers.items()):
            return False
        self.readings[at] = dict.fromkeys(NUMBERS) | (former or {}) | numbers
        self.new_readings.add(at)
        return True


async def existing_posts(connection: AsyncConnection, keys: Iterable[_Key]) -> dict[_Key, _Values]:
    """The rows of those posts that are there."""
    rows: dict[_Key, _Values] = {}
    for platform, ids in _by_platform(keys):
        found = select(posts).where(posts.c.platform == platform, posts.c.post_id.in_(ids))
        rows |= {_key(row): dict(row) for row in await _rows(connection, found)}
    return rows


async def write_posts(
    connection: AsyncConnection, batch: Sequence[SentPost], former: dict[_Key, _Values], now: int
) -> list[CommentOutcome]:
    """Add posts, or what is new of them; their KOLs are registered.

    Args:
        connection: the write transaction.
        batch: posts; one may be there several times.
        former: the rows of those that are stored already.
        now: in microseconds.
    """
    stored = await _stored(connection, batch, former)
    outcomes = []
    for post in batch:
        key = (post.platform, post.post_id)
        if key not in stored:
            values = dict.fromkeys(CHANGING) | {"recorded_at": now}
            stored[key] = _StoredPost({"platform": key[0], "post_id": key[1]} | values)
            stored[key].add(post)
            stored[key].to_write = True
            outcomes.append(CommentOutcome.ACCEPTED)
        elif stored[key].add(post):
            outcomes.append(CommentOutcome.UPDATED)
        else:
            outcomes.append(CommentOutcome.DUPLICATE)
    await _write(connection, stored, now, sorted({one for post in batch for one in post.kols}))
    return outcomes


async def _stored(
    connection: AsyncConnection, batch: Sequence[SentPost], former: dict[_Key, _Values]
) -> dict[_Key, _StoredPost]:
    stored = {key: _StoredPost(dict(values)) for key, values in former.items()}
    for platform, ids in _by_platform(stored):
        table = post_kols.c
        found = select(post_kols).where(table.platform == platform, table.post_id.in_(ids))
        for row in await _rows(connection, found):
            stored[_key(row)].kols.add(row["kol_id"])
    times: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for post in batch:
        if (post.platform, post.post_id) in stored:
            times[post.platform] |= {(post.post_id, to_micros(one.at)) for one in post.counts}
    for platform, pairs in times.items():
        for some in _chunks(sorted(pairs)):
            table = post_counts.c
            found = select(post_counts).where(
                table.platform == platform,
                table.post_id.in_({post_id for post_id, _ in some}),
                table.at.in_({at for _, at in some}),
            )
            for row in await _rows(connection, found):
                stored[_key(row)].readings[row["at"]] = {name: row[name] for name in NUMBERS}
    return stored


async def _write(
    connection: AsyncConnection, stored: dict[_Key, _StoredPost], now: int, kol_ids: Sequence[str]
) -> None:
    rows = [post.values for post in stored.values() if post.to_write]
    await _upsert(connection, posts, rows, CHANGING)
    published = [
        {"platform": platform, "post_id": post_id, "kol_id": kol_id}
        for (platform, post_id), post in stored.items()
        for kol_id in sorted(post.new_kols)
    ]
    named = [{"kol_id": kol_id, "registered_at": now} for kol_id in kol_ids]
    await _upsert(connection, kols, named)
    await _upsert(connection, post_kols, published)
    readings = [
        {"platform": platform, "post_id": post_id, "at": at} | post.readings[at]
        for (platform, post_id), post in stored.items()
        for at in sorted(post.new_readings)
    ]
    await _upsert(connection, post_counts, readings, NUMBERS)


async def _upsert(
    connection: AsyncConnection, table: Table, rows: list[_Values], changing: Sequence[str] = ()
) -> None:
    """Insert rows; where one is there, its `changing` columns are set."""
    statement = insert(connection, table)
    new = {name: statement.excluded[name] for name in changing}
    if new:
        statement = statement.on_conflict_do_update(index_elements=table.primary_key, set_=new)
    else:
        statement = statement.on_conflict_do_nothing()
    for some in _chunks(rows):
        await connection.execute(statement, some)


def _by_platform(keys: Iterable[_Key]) -> Iterator[tuple[str, list[str]]]:
    """Ids, a bounded number at once."""
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for platform, post_id in keys:
        ids[platform].add(post_id)
    for platform, found in ids.items():
        for some in _chunks(sorted(found)):
            yield platform, some


def _chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(values)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


async def _rows(connection: AsyncConnection, statement: Select[Any]) -> Sequence[RowMapping]:
    found: Sequence[RowMapping] = (await connection.execute(statement)).mappings().all()
    return found


def _key(row: RowMapping) -> _Key:
    return row["platform"], row["post_id"]
