"""What is stored about an author, for an export."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from serving.storage.comment_log import CommentHistory, CommentLog
from serving.storage.database import Database
from serving.storage.evidence_samples import samples_of
from serving.storage.tables import alert_events, comments

_LOOKED_AT = 5000  # comments at once
_EVIDENCE_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class EvidenceSample:
    """A copy of a comment in the evidence of an alert.

    Attributes:
        alert_id: of which alert.
        platform: where the comment was written.
        comment_id: its id there.
        author_id: its author, as it is stored.
        text: as it was then.
        created_at: when it was written, ISO 8601.
    """

    alert_id: str
    platform: str
    comment_id: str
    author_id: str
    text: str
    created_at: str


@dataclass(frozen=True, slots=True)
class AuthorIdSet:
    """The ids that an author's comments may bear, and on which platform; None for all."""

    ids: Collection[str]
    platform: str | None = None


class AuthorStore:
    """Reads by author. There is no index for that, so the log is read once, in parts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = CommentLog(database)

    async def comments(self, author: AuthorIdSet) -> AsyncIterator[CommentHistory]:
        """Comments of an author with their former texts, in the order of the log."""
        async with self._database.read() as connection:
            last = await connection.scalar(select(func.max(comments.c.seq))) or 0
        for start in range(0, last, _LOOKED_AT):
            statement = (
                select(comments.c.platform, comments.c.comment_id, comments.c.kol_id)
                .where(
                    comments.c.seq > start,
                    comments.c.seq <= start + _LOOKED_AT,
                    comments.c.author_id.in_(author.ids),
                    comments.c.erased.is_(None),
                )
                .order_by(comments.c.seq)
            )
            if author.platform is not None:
                statement = statement.where(comments.c.platform == author.platform)
            async with self._database.read() as connection:
                found = (await connection.execute(statement)).all()
            for platform, comment_id, kol_id in found:
                for one in await self._log.history(platform, comment_id):
                    if one.listed.logged.comment.kol_id == kol_id:
                        yield one

    async def samples(self, author: AuthorIdSet) -> AsyncIterator[EvidenceSample]:
        """Copies of comments of an author in the evidence of alerts, each once."""
        reached, seen = 0, set[EvidenceSample]()
        while True:
            statement = (
                select(alert_events.c.event_id, alert_events.c.alert_id, alert_events.c.evidence)
                .where(alert_events.c.event_id > reached)
                .order_by(alert_events.c.event_id)
                .limit(_EVIDENCE_AT_ONCE)
            )
            async with self._database.read() as connection:
                rows = (await connection.execute(statement)).all()
            for row in rows:
                for sample in samples_of(row.evidence):
                    if sample["author_id"] not in author.ids:
                        continue
                    if author.platform not in (None, sample["platform"]):
                        continue
                    names = ("platform", "comment_id", "author_id", "text", "created_at")
                    found = EvidenceSample(row.alert_id, *(sample[name] for name in names))
                    if found not in seen:
                        seen.add(found)
                        yield found
            if len(rows) < _EVIDENCE_AT_ONCE:
                return
            reached = rows[-1].event_id
