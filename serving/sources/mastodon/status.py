"""Statuses as Mastodon lists them. Pure."""

import zlib
from datetime import datetime
from typing import Any

import msgspec

from serving.sources.faults import BadAnswer
from serving.sources.mastodon.html_text import text_of_html
from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts, PostKind

# A message to a few is nobody else's business, even if the token can read it.
_PUBLIC = frozenset({"public", "unlisted"})


class StatusAccount(msgspec.Struct, frozen=True):
    """An account; `moved` names the one that took its place."""

    id: str
    acct: str = ""
    uri: str | None = None
    followers_count: int | None = None
    moved: "StatusAccount | None" = None


class StatusMention(msgspec.Struct, frozen=True):
    """Who is mentioned."""

    id: str


class StatusTag(msgspec.Struct, frozen=True):
    """A hashtag."""

    name: str


class StatusMedia(msgspec.Struct, frozen=True):
    """What is attached."""

    type: str = ""


class MastodonStatus(msgspec.Struct, frozen=True):
    """A status; what is not needed is left out."""

    id: str
    created_at: str
    account: StatusAccount
    content: str = ""
    spoiler_text: str = ""
    visibility: str = "public"
    url: str | None = None
    language: str | None = None
    in_reply_to_id: str | None = None
    in_reply_to_account_id: str | None = None
    edited_at: str | None = None
    favourites_count: int | None = None
    reblogs_count: int | None = None
    replies_count: int | None = None
    reblog: Any = None
    mentions: list[StatusMention] = []
    tags: list[StatusTag] = []
    media_attachments: list[StatusMedia] = []
    poll: Any = None

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it, and it is not somebody else's that was shared."""
        return self.visibility in _PUBLIC and self.reblog is None

    @property
    def text(self) -> str:
        """Its warning and its words."""
        parts = [self.spoiler_text, text_of_html(self.content)]
        return "\n\n".join(part for part in parts if part)

    @property
    def state(self) -> int:
        """A number that changes when it does."""
        return zlib.crc32(f"{self.favourites_count}/{self.edited_at}".encode())

    def written_at(self) -> datetime:
        """When it was written.

        Raises:
            BadAnswer: it does not say.
        """
        try:
            found = datetime.fromisoformat(self.created_at)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise BadAnswer(f"created_at of a status is {self.created_at[:40]!r}")
        return found


def comment_of_status(status: MastodonStatus, host: str, top: str | None) -> SourceComment:
    """A comment; ids are of one server, so they begin with its name.

    Args:
        status: as it is now.
        host: of the server.
        top: the id of the status at the top of its thread; None if it answers none.
    """
    parent = status.in_reply_to_id
    return SourceComment(
        comment_id=f"{host}/{status.id}",
        text=status.text,
        created_at=status.written_at(),
        post_id=None if top is None else f"{host}/{top}",
        author_id=status.account.uri or f"{host}/{status.account.id}",
        parent_id=None if parent is None or parent == top else f"{host}/{parent}",
        lang=status.language,
        likes=status.favourites_count,
        edited_at=status.edited_at,
    )


def post_of_status(status: MastodonStatus, host: str, at: datetime) -> SourcePost:
    """A status of the KOL."""
    kinds = {"image": PostKind.PHOTO, "video": PostKind.VIDEO, "gifv": PostKind.VIDEO}
    media = status.media_attachments
    kind = kinds.get(media[0].type, PostKind.LINK) if media else PostKind.TEXT
    kind = PostKind.AUDIO if media and media[0].type == "audio" else kind
    return SourcePost(
        post_id=f"{host}/{status.id}",
        text=status.text,
        url=status.url,
        created_at=status.written_at(),
        kind=PostKind.POLL if status.poll else PostKind.ALBUM if len(media) > 1 else kind,
        counts=PostCounts(
            at,
            likes=status.favourites_count,
            comments=status.replies_count,
            shares=status.reblogs_count,
        ),
    )
