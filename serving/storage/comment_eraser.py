"""Turns comments of the log into tombstones, inside a transaction.

A tombstone keeps its place, key and times, the post, the language, a pseudonym of the author, what
the model said, and what near-duplicates are recognised by. So the sums of minutes stay, and a
rebuild counts what it counted before.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.near_duplicates import signature
from serving.storage.comment_update import ChangeKind
from serving.storage.erasure_record import Erasure
from serving.storage.instants import from_micros
from serving.storage.tables import comment_changes, comment_versions, comments, scores

_EMPTIED = dict.fromkeys(("parent_id", "likes", "edited_at"))
_ERASE = (
    update(comments)
    .where(comments.c.seq == bindparam("of_seq"))
    .values(
        text="",
        author_id=bindparam("pseudonym"),
        erased=bindparam("kept", type_=comments.c.erased.type),
        **_EMPTIED,
    )
)


async def erase_comments(
    connection: AsyncConnection,
    which: Sequence[ColumnElement[bool]],
    erasure: Erasure,
    *,
    at: int,
    limit: int,
) -> list[int]:
    """Erase comments that are not erased yet, in the order of the log.

    Args:
        connection: the transaction.
        which: conditions on `comments`.
        erasure: makes the pseudonyms.
        at: when, in microseconds.
        limit: most of them.

    Returns:
        Their places.
    """
    said = (scores.c.negative, scores.c.neutral, scores.c.positive, scores.c.offensive)
    statement = (
        select(
            comments.c.seq,
            comments.c.kol_id,
            comments.c.text,
            comments.c.author_id,
            comments.c.created_at,
            *said,
        )
        .outerjoin(scores, scores.c.seq == comments.c.seq)
        .where(comments.c.erased.is_(None), *which)
        .order_by(comments.c.seq)
        .limit(limit)
    )
    rows = (await connection.execute(statement)).all()
    if not rows:
        return []
    changes = []
    for row in rows:
        kept = None if row.negative is None else [row.negative, row.neutral, row.positive]
        changes.append(
            {
                "of_seq": row.seq,
                "pseudonym": erasure.pseudonym(
                    row.author_id, row.kol_id, from_micros(row.created_at)
                ),
                "kept": {
                    "at": at,
                    "fingerprint": list(signature(row.text)),
                    "scores": None if kept is None else [*kept, row.offensive],
                },
            }
        )
    places = [row.seq for row in rows]
    await connection.execute(_ERASE, changes)
    await connection.execute(delete(comment_versions).where(comment_versions.c.seq.in_(places)))
    # An edit that the pipeline has not taken over has nothing left to be scored.
    await connection.execute(
        delete(comment_changes).where(
            comment_changes.c.seq.in_(places), comment_changes.c.kind == ChangeKind.EDITED
        )
    )
    return places
