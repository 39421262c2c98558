"""Where the reading of one account is; a part of the source's cursor. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.sources.graph_api.known_comments import KnownComments
from serving.sources.post_schedule import PostSchedule

LEAST = timedelta(seconds=60)
_POSTS = 600  # whose counts are kept
_SCHEDULED = 100  # that are asked, although their counts do not change


@dataclass(slots=True)
class PostProgress:
    """How far a post was read. Times are seconds since 1970.

    Attributes:
        created: when it was published.
        count: comments, as the list of posts said last.
        pending: by how much the count grew since the comments were last read.
        newest: of the comments that were read; None if it was never read.
        deep: when it was last read to its end; None if it is to be.
    """

    created: float
    count: int | None = None
    pending: int = 0
    newest: float | None = None
    deep: float | None = None


@dataclass(slots=True)
class PostVisit:
    """The pages of a post that are being read.

    Attributes:
        post_id: the post.
        after: the cursor of the next page; None for the first.
        floor: it is read until comments are older than this; None to its end.
        want: new comments that the post's count promises.
        pages: that were read.
        since: comments after this are new; None if all are.
        newest: of the comments on its pages.
        found: new comments on its pages.
        upper: comments on the next page are older than this; None before the first.
        is_last: whether no further page is wanted.
        replies: comments whose further replies wait, each with a cursor.
        restarts: how often a cursor had expired.
    """

    post_id: str
    after: str | None = None
    floor: float | None = None
    want: int = 0
    pages: int = 0
    since: float | None = None
    newest: float | None = None
    found: int = 0
    upper: float | None = None
    is_last: bool = False
    replies: list[list[str]] = field(default_factory=list)
    restarts: int = 0


@dataclass(slots=True)
class AccountState:
    """Where the reading of an account is. Times are seconds since 1970.

    Attributes:
        kol_id: whose account it is; it stays when the account is renamed.
        handle: its name when it was last asked.
        schedule: when each post is asked.
        posts: how far each was read.
        known: comments that were there, to see which are gone.
        reading: the post that is being read for new comments.
        past: the post whose history is being read.
        history: posts whose history waits.
        listing: the cursor of the next page of the list; None if it is not being read.
        listed: when the list was last read; None before the first time.
        listed_fully: when it was last read to its end.
        connected: whether the first list was read to its end.
        profiled: when name and followers were last asked.
    """

    kol_id: str
    handle: str
    schedule: PostSchedule = field(default_factory=lambda: PostSchedule(least=LEAST))
    posts: dict[str, PostProgress] = field(default_factory=dict)
    known: KnownComments = field(default_factory=KnownComments)
    reading: PostVisit | None = None
    past: PostVisit | None = None
    history: list[str] = field(default_factory=list)
    listing: str | None = None
    listed: float | None = None
    listed_fully: float | None = None
    connected: bool = False
    profiled: float | None = None

    def progress(self, post_id: str, created: datetime) -> PostProgress:
        """How far a post was read; of too many posts, one that is not asked any more is left."""
        if post_id not in self.posts:
            self.posts[post_id] = PostProgress(created.timestamp())
            if len(self.posts) > _POSTS:
                in_use = {post_id, *self.history}
                for other in self.posts:
                    if other not in self.schedule and other not in in_use:
                        del self.posts[other]
                        break
        return self.posts[post_id]

    def ask_from_now(self, post_id: str, now: datetime) -> None:
        """Ask a post whose history was read for new comments; not all of hundreds of posts."""
        if len(self.schedule) < _SCHEDULED:
            created = datetime.fromtimestamp(self.posts[post_id].created, UTC)
            self.schedule.add(post_id, created, now)
            self.schedule.asked(post_id, now, 0)  # it was just read

    def drop(self, post_id: str) -> None:
        """Do not ask a post again: it was deleted."""
        self.schedule.remove(post_id)
        self.posts.pop(post_id, None)
        self.known.drop(post_id)
        self.history = [one for one in self.history if one != post_id]

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> "AccountState":
        """Read it from a cursor.

        Raises:
            KeyError, TypeError, ValueError: it cannot be read.
        """
        return cls(
            kol_id=str(written["kol"]),
            handle=str(written["handle"]),
            schedule=PostSchedule.of(written.get("schedule"), least=LEAST),
            posts={str(name): PostProgress(*row) for name, row in written["posts"].items()},
            known=KnownComments.of(written.get("known")),
            reading=_reading(written.get("reading")),
            past=_reading(written.get("past")),
            history=[str(one) for one in written.get("history", ())],
            listing=written.get("listing"),
            listed=written.get("listed"),
            listed_fully=written.get("listed_fully"),
            connected=bool(written.get("connected")),
            profiled=written.get("profiled"),
        )

    def as_json(self, most_known: int) -> dict[str, Any]:
        """For a cursor.

        Args:
            most_known: known comments that are kept of each post.
        """
        return {
            "kol": self.kol_id,
            "handle": self.handle,
            "schedule": self.schedule.as_json(),
            "posts": {
                name: [one.created, one.count, one.pending, one.newest, one.deep]
                for name, one in self.posts.items()
            },
            "known": self.known.as_json(most_known),
            "reading": None if self.reading is None else asdict(self.reading),
            "past": None if self.past is None else asdict(self.past),
            "history": self.history,
            "listing": self.listing,
            "listed": self.listed,
            "listed_fully": self.listed_fully,
            "connected": self.connected,
            "profiled": self.profiled,
        }


def states_of(cursor: Mapping[str, Any] | None) -> dict[str, AccountState]:
    """The accounts of a cursor by id; what cannot be read begins anew."""
    written = (cursor or {}).get("accounts")
    found = {}
    for account_id, row in written.items() if isinstance(written, dict) else ():
        try:
            found[str(account_id)] = AccountState.of(row)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return found


def is_due(last: float | None, every: timedelta, now: datetime) -> bool:
    """Whether something that was done at `last` is to be done again."""
    return last is None or now.timestamp() - last >= every.total_seconds()


def _reading(written: Mapping[str, Any] | None) -> PostVisit | None:
    return None if written is None else PostVisit(**written)
