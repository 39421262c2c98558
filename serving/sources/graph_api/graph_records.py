"""What the Graph API gives, and what asks it: one protocol for three platforms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts


@dataclass(frozen=True, slots=True)
class GraphAccount:
    """An account that a token may read.

    Attributes:
        account_id: Meta's id; it stays when the account is renamed.
        handle: its present name.
        token: reads it.
        root: the token of the settings that it was found with.
        page_id: the Facebook page that an Instagram account belongs to, with Facebook Login.
    """

    account_id: str
    handle: str
    token: str = field(repr=False)
    root: str = field(repr=False)
    page_id: str | None = None


@dataclass(frozen=True, slots=True)
class GraphProfile:
    """An account as it is now.

    Attributes:
        handle: its name.
        followers: how many; None if Meta does not say.
    """

    handle: str
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class PostPage:
    """One page of an account's posts, newest first.

    Attributes:
        posts: with what Meta counts, if the list says it.
        after: the cursor of the next page; None on the last.
    """

    posts: Sequence[SourcePost]
    after: str | None


@dataclass(frozen=True, slots=True)
class CommentPage:
    """One page of the comments of a post, newest first, with the replies that came along.

    Attributes:
        comments: of the page.
        after: the cursor of the next page; None on the last.
        replies: comments that have more replies than came along, each with the cursor of those.
    """

    comments: Sequence[SourceComment]
    after: str | None
    replies: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was given out anew.

    Attributes:
        token: the new one; it may be the old one with a longer life.
        expires_in: seconds.
    """

    token: str = field(repr=False)
    expires_in: float


@dataclass(frozen=True, slots=True)
class CommentLookup:
    """A comment that a webhook named without saying all of it.

    Attributes:
        account_id: whose it is.
        comment_id: of the comment; None for a mention in the text of a post.
        media_id: the post that mentions the account.
        mention: whether it is under the post of somebody else and mentions the account.
    """

    account_id: str
    comment_id: str | None
    media_id: str | None = None
    mention: bool = False


class GraphApi(Protocol):
    """One platform, asked in the name of an account. Every method raises `SourceFault`."""

    async def accounts_of(self, token: str) -> Sequence[GraphAccount]:
        """The accounts that a token of the settings may read."""
        ...

    async def profile(self, account: GraphAccount) -> GraphProfile:
        """Name and followers."""
        ...

    async def posts(self, account: GraphAccount, after: str | None) -> PostPage:
        """One page of posts."""
        ...

    async def counts(self, account: GraphAccount, post_id: str) -> PostCounts | None:
        """What Meta counts of a post, if the list of posts does not say it."""
        ...

    async def comments(self, account: GraphAccount, post_id: str, after: str | None) -> CommentPage:
        """One page of the comments of a post."""
        ...

    async def replies(
        self, account: GraphAccount, post_id: str, comment_id: str, after: str
    ) -> CommentPage:
        """One page of the replies to a comment."""
        ...

    async def look_up(self, account: GraphAccount, lookup: CommentLookup) -> SourceComment:
        """One comment by its id."""
        ...

    async def is_subscribed(self, account: GraphAccount) -> bool | None:
        """Whether Meta calls the webhook for an account; None if it cannot be asked."""
        ...

    async def subscribe(self, account: GraphAccount) -> None:
        """Let Meta call the webhook for an account."""
        ...

    async def renew(self, token: str) -> NewToken | None:
        """Give a token a longer life; None if the platform has no such thing."""
        ...

    async def ends_at(self, token: str) -> datetime | None:
        """When a token expires; None for never, or if it cannot be asked."""
        ...
