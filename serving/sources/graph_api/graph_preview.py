"""What a source of Meta's platforms shows before it is added, and when it is tested."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from serving.sources.graph_api.account_finder import AccountFinder
from serving.sources.graph_api.graph_records import GraphApi
from serving.sources.source import SourcePreview
from serving.sources.source_batch import SourceComment

_COMMENTS = 10
_POSTS = 3
_LISTS = 1440  # a day and account


@dataclass(frozen=True, slots=True)
class PreviewWording:
    """What a platform's sources see and do not see, one sentence each.

    Attributes:
        sees: what they see.
        cannot_see: what they do not.
    """

    sees: tuple[str, ...]
    cannot_see: tuple[str, ...]


async def preview_of(
    api: GraphApi,
    finder: AccountFinder,
    wording: PreviewWording,
    title: str,
    daily_requests: int,
    tokens: Sequence[str],
) -> SourcePreview:
    """Show the accounts that were found, and their newest comments.

    Raises:
        SourceFault: the platform refused.
    """
    accounts = list(finder.accounts.values())
    ends = [at for one in tokens if (at := await api.ends_at(one)) is not None]
    lists = min(_LISTS * len(accounts), daily_requests // 2)
    return SourcePreview(
        account=f"{title}: " + ", ".join(f"@{one.handle}" for one in accounts),
        sees=wording.sees,
        cannot_see=(*(f"{fault}." for fault in finder.faults), *wording.cannot_see),
        costs=(
            f"About {lists:,} of {daily_requests:,} requests a day to list posts, and one or more"
            " for each post that gets comments.",
            "Meta charges nothing.",
            *(f"A token ends on {at:%d %B %Y}; enter a new one before." for at in sorted(ends)[:1]),
        ),
        comments=await _newest(api, finder),
    )


async def _newest(api: GraphApi, finder: AccountFinder) -> tuple[SourceComment, ...]:
    found: list[SourceComment] = []
    for account in list(finder.accounts.values())[:_POSTS]:
        page = await api.posts(account, None)
        for post in page.posts[:_POSTS]:
            if len(found) >= _COMMENTS:
                break
            comments = await api.comments(account, post.post_id, None)
            kol_id = finder.kols[account.account_id]
            found += [
                replace(one, kol_id=kol_id, post_id=one.post_id or post.post_id)
                for one in comments.comments
            ]
    newest: Sequence[SourceComment] = sorted(found, key=_at, reverse=True)
    return tuple(newest[:_COMMENTS])


def _at(comment: SourceComment) -> Any:
    return comment.created_at
