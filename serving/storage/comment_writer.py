"""Writes comments to the log, inside a transaction: new ones, and what changes older ones."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from sqlalchemy import BigInteger, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.events import Comment
from serving.storage.comment_rows import COMMENT_COLUMNS, to_comment, to_row
from serving.storage.comment_update import (
    FILLED_IN,
    ChangeKind,
    CommentOutcome,
    FormerCount,
    FormerText,
    former_count,
    update_comment,
)
from serving.storage.instants import to_micros
from serving.storage.kol_alias_rows import resolve
from serving.storage.tables import comment_changes, comment_versions, comments, kols
from serving.storage.upsert import insert

_AT_ONCE = 500
_CHANGING = ("text", "edited_at", "likes", "author_id", "post_id", "parent_id", "lang")

_Key = tuple[str, str, str]
_Item = TypeVar("_Item")


def _new(column: str) -> str:
    """The parameter that holds a column's new value."""
    return f"new_{column}"


_UPDATE = (
    update(comments)
    .where(comments.c.seq == bindparam("of_seq"))
    .values(
        {name: bindparam(_new(name)) for name in _CHANGING}
        | {
            "removed_at": func.coalesce(
                comments.c.removed_at, bindparam(_new("removed_at"), type_=BigInteger())
            )
        }
    )
)


@dataclass(slots=True)
class _Repeated:
    """A comment of the log that was sent again, and what that changed.

    Attributes:
        seq: its place.
        before: as the log had it.
        fresh: whether this transaction wrote it, so that nobody has read it.
        comment: as it is now.
        known_texts: its other texts that are kept.
        former_texts: those that are to be kept from now on.
        changes: what readers have to do again.
    """

    seq: int
    before: Comment
    fresh: bool
    comment: Comment = field(init=False)
    known_texts: set[str] = field(default_factory=set)
    former_texts: list[FormerText] = field(default_factory=list)
    changes: set[ChangeKind] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.comment = self.before

    def send(self, sent: Comment) -> CommentOutcome:
        """Take what was sent again."""
        news = update_comment(self.comment, sent)
        is_new = news.comment != self.comment
        if news.former is not None and news.former.text not in self.known_texts:
            is_new = True
            self.known_texts.add(news.former.text)
            self.former_texts.append(news.former)
        if news.change is not None and not self.fresh:
            self.changes.add(news.change)
        self.comment = news.comment
        return CommentOutcome.UPDATED if is_new else CommentOutcome.DUPLICATE


async def write_comments(
    connection: AsyncConnection, batch: Sequence[Comment], now: int
) -> list[CommentOutcome]:
    """Write comments, in order, and register their KOLs. Former and merged ids are resolved.

    Args:
        connection: the transaction.
        batch: as they were sent.
        now: when they were received, in microseconds.

    Returns:
        For each comment what became of it. Duplicates are counted with their KOL.
    """
    if not batch:
        return []
    leads = await resolve(connection, {comment.kol_id for comment in batch})
    sent_to = [comment.kol_id if comment.kol_id in leads else None for comment in batch]
    if leads:
        batch = [
            replace(comment, kol_id=leads.get(comment.kol_id, comment.kol_id)) for comment in batch
        ]
    keys = [_key(comment) for comment in batch]
    first: dict[_Key, int] = {}
    for index, key in enumerate(keys):
        first.setdefault(key, index)
    last_seq = await connection.scalar(select(func.max(comments.c.seq))) or 0
    rows = [to_row(batch[i], now, sent_to=sent_to[i]) for i in first.values()]
    places = await _insert(connection, rows)
    # What was not inserted and has nothing new has no place here.
    outcomes = [CommentOutcome.DUPLICATE] * len(batch)
    again = []
    for index, key in enumerate(keys):
        if first[key] == index and places.get(key, 0) > last_seq:
            outcomes[index] = CommentOutcome.ACCEPTED
        elif key in places or first[key] != index:
            again.append(index)
    if again:
        repeated = {
            keys[i]: _Repeated(places[keys[i]], batch[first[keys[i]]], fresh=True)
            for i in again
            if places.get(keys[i], 0) > last_seq
        }
        repeated |= await _find(connection, {keys[i] for i in again} - repeated.keys())
        texts = [repeated[keys[i]] for i in again if repeated[keys[i]].before.text != batch[i].text]
        await _load_texts(connection, texts)
        for i in again:
            outcomes[i] = repeated[keys[i]].send(batch[i])
        await _update(connection, repeated.values(), now)
    await _register_kols(connection, batch, outcomes, now)
    return outcomes


def _key(comment: Comment) -> _Key:
    return comment.platform, comment.comment_id, comment.kol_id


async def _insert(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> dict[_Key, int]:
    """Insert the comments that the log does not have.

    Returns:
        The places of those, and of those that the log has otherwise. A comment that is sent again
        as it is, which is most of them, is recognised without being read.
    """
    statement = insert(connection, comments)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=["platform", "comment_id", "kol_id"],
        set_={"seq": comments.c.seq},
        where=comments.c.erased.is_(None)
        & or_(
            new.text != comments.c.text,
            *(
                and_(new[name].is_not(None), new[name].is_distinct_from(comments.c[name]))
                for name in ("likes", "edited_at")
            ),
            *(
                and_(new[name].is_not(None), comments.c[name].is_(None))
                for name in (*FILLED_IN, "removed_at")
            ),
        ),
    ).returning(comments.c.platform, comments.c.comment_id, comments.c.kol_id, comments.c.seq)
    found = await connection.execute(upsert, rows)
    return {(platform, comment_id, kol_id): seq for platform, comment_id, kol_id, seq in found}


async def _find(connection: AsyncConnection, wanted: Iterable[_Key]) -> dict[_Key, _Repeated]:
    """Comments of the log by their keys."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    found = {}
    for platform, comment_id, _ in wanted:
        ids[platform].append(comment_id)
    for platform, of_platform in ids.items():
        for chunk in _chunks(of_platform):
            statement = select(comments.c.seq, *COMMENT_COLUMNS).where(
                comments.c.platform == platform, comments.c.comment_id.in_(chunk)
            )
            for row in (await connection.execute(statement)).mappings():
                comment = to_comment(row)
                found[_key(comment)] = _Repeated(row["seq"], comment, fresh=False)
    return found


async def _load_texts(connection: AsyncConnection, changed: Iterable[_Repeated]) -> None:
    """Fill in the texts that are kept of comments whose text was sent differently."""
    by_seq = {one.seq: one for one in changed}
    for chunk in _chunks(list(by_seq)):
        statement = select(comment_versions.c.seq, comment_versions.c.text).where(
            comment_versions.c.seq.in_(chunk)
        )
        for seq, text in await connection.execute(statement):
            by_seq[seq].known_texts.add(text)


async def _update(connection: AsyncConnection, repeated: Iterable[_Repeated], now: int) -> None:
    """Write what was changed."""
    updates, versions, changes = [], [], []
    for one in repeated:
        if one.comment != one.before:
            row = to_row(one.comment, now)
            news = {_new(name): row[name] for name in (*_CHANGING, "removed_at")}
            updates.append(news | {"of_seq": one.seq})
        for former in one.former_texts:
            edited_at = None if former.edited_at is None else to_micros(former.edited_at)
            versions.append(
                {"seq": one.seq, "text": former.text, "edited_at": edited_at, "at": now}
            )
        counted = _former_row(former_count(one.before, one.comment))
        changes += [
            {"seq": one.seq, "kind": kind, "at": now, "former": counted}
            for kind in sorted(one.changes)
        ]
    if updates:
        await connection.execute(_UPDATE, updates)
    if versions:
        await connection.execute(comment_versions.insert(), versions)
    if changes:
        await connection.execute(comment_changes.insert(), changes)


def _former_row(former: FormerCount | None) -> dict[str, Any] | None:
    return None if former is None else asdict(former)


async def _register_kols(
    connection: AsyncConnection,
    batch: Sequence[Comment],
    outcomes: Sequence[CommentOutcome],
    now: int,
) -> None:
    duplicates = dict.fromkeys((comment.kol_id for comment in batch), 0)
    for comment, outcome in zip(batch, outcomes, strict=True):
        duplicates[comment.kol_id] += outcome == CommentOutcome.DUPLICATE
    if not duplicates:
        return
    statement = insert(connection, kols)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kol_id"],
            set_={"duplicates": kols.c.duplicates + statement.excluded.duplicates},
        ),
        [
            {"kol_id": kol_id, "registered_at": now, "duplicates": count}
            for kol_id, count in duplicates.items()
        ],
    )


def _chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
