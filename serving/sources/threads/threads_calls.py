"""What Threads sends to its webhook. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from serving.sources.faults import BadAnswer
from serving.sources.graph_api.graph_client import optional_text, text_of, time_of
from serving.sources.graph_api.graph_records import CommentLookup
from serving.sources.graph_api.webhook_calls import STALE, GraphNotice
from serving.sources.source_batch import SourceComment, SourcePost, SourceRemoval
from serving.sources.threads.threads_api import post_of, reply_of
from serving.storage.kol_handle_rows import handle_key

ThreadsChange = SourceComment | SourceRemoval | SourcePost | CommentLookup


def threads_notices(body: Any, accounts: Mapping[str, str]) -> list[GraphNotice]:
    """The changes of a call.

    Args:
        body: of the call.
        accounts: the ids of the source's accounts by the key of their name.

    Raises:
        BadAnswer: it is not Threads'.
    """
    parts = body if isinstance(body, list) else [body]
    return [notice for part in parts for notice in _notices(part, accounts)]


def read_change(notice: GraphNotice, now: datetime) -> list[ThreadsChange]:
    """What a change brings.

    Raises:
        BadAnswer: it is not what the documentation says.
    """
    value = notice.value
    if notice.field == "delete":
        return [SourceRemoval(text_of(value, "id"), notice.at)]
    if notice.field in {"replies", "mentions"}:
        if now - notice.at > STALE:  # it may have been edited, or deleted
            root = optional_text(value, "root_post", "id")
            return [CommentLookup(notice.account_id, text_of(value, "id"), root)]
        return [reply_of(value, text_of(value, "id"))]
    if notice.field == "publish" and not value.get("replied_to") and not value.get("is_reply"):
        return [post_of(value)]
    return []  # the KOL's replies come as replies


def _notices(body: Any, accounts: Mapping[str, str]) -> Iterator[GraphNotice]:
    found = body.get("values") if isinstance(body, dict) else None
    values = found if isinstance(found, list) else [found]
    changes = [one for one in values if isinstance(one, dict)]
    if not changes or len(changes) < len(values):
        raise BadAnswer("Threads called without 'values'")
    for one in changes:
        field, value = str(one.get("field")), one.get("value")
        value = value if isinstance(value, dict) else {}
        yield GraphNotice(
            account_id=_account_of(field, value, accounts),
            field=field,
            value=value,
            at=time_of(body, "time"),
        )


def _account_of(field: str, value: Mapping[str, Any], accounts: Mapping[str, str]) -> str:
    """Whose account a change is about; empty if nobody can tell."""
    if field == "replies":
        found = optional_text(value, "root_post", "owner_id")
        name = optional_text(value, "root_post", "username")
    else:
        found = optional_text(value, "owner", "owner_id") or optional_text(value, "owner", "id")
        name = None if field == "mentions" else optional_text(value, "username")
    if field != "mentions" and found is not None:
        return found
    if name is not None and handle_key(name) in accounts:
        return accounts[handle_key(name)]
    if field == "mentions":
        for mentioned in re.findall(r"@([\w.]+)", optional_text(value, "text") or ""):
            key = handle_key(mentioned.rstrip("."))
            if key in accounts:
                return accounts[key]
    return next(iter(accounts.values())) if len(accounts) == 1 else ""
