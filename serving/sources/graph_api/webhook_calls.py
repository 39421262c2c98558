"""What Meta sends to a webhook: handshakes, and signed notices of changes."""

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from serving.sources.faults import BadAnswer, UnverifiedRequest
from serving.sources.graph_api.graph_client import time_of
from serving.sources.signatures import verify_hmac
from serving.sources.source import WebhookAnswer, WebhookRequest

SIGNATURE = "x-hub-signature-256"
_PREFIX = "sha256="
_OLDEST = timedelta(hours=48)  # Meta repeats a call for 36 hours
_CHALLENGE = 512

# What was called for longer ago may have been edited since: it is asked for instead.
STALE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class GraphNotice:
    """One change that Meta reports.

    Attributes:
        account_id: of whom; empty if Meta does not say it.
        field: what the app subscribed to, such as "comments".
        value: what changed.
        at: when Meta sent it.
    """

    account_id: str
    field: str
    value: Mapping[str, Any]
    at: datetime


def handshake(request: WebhookRequest, verify_token: str) -> WebhookAnswer:
    """The answer to Meta's GET, by which it checks the address.

    Raises:
        UnverifiedRequest: the token is wrong.
    """
    query = request.query
    challenge = query.get("hub.challenge", "")
    is_right = hmac.compare_digest(
        query.get("hub.verify_token", "").encode(), verify_token.encode()
    )
    if query.get("hub.mode") != "subscribe" or not is_right or not challenge:
        raise UnverifiedRequest("the handshake has no mode, no challenge or a wrong verify token")
    return WebhookAnswer(body=challenge[:_CHALLENGE].encode())


def signed_body(request: WebhookRequest, secrets: Sequence[str]) -> Any:
    """The body of a call, once its signature is checked.

    Args:
        request: as it came.
        secrets: of the app; one of them signed.

    Raises:
        UnverifiedRequest: none of them did.
        BadAnswer: it is no JSON.
    """
    for secret in secrets:
        try:
            verify_hmac(secret, request.body, request.headers.get(SIGNATURE), prefix=_PREFIX)
            break
        except UnverifiedRequest as error:
            refused = error
    else:
        raise refused
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadAnswer("Meta called with a body that is no JSON") from None


def delivery_key(request: WebhookRequest) -> str:
    """What a call is known by: Meta gives no number, but signs."""
    return request.headers[SIGNATURE].removeprefix(_PREFIX).strip().lower()


def check_age(notices: Sequence[GraphNotice], now: datetime) -> None:
    """Refuse a call that is older than Meta repeats any.

    Raises:
        UnverifiedRequest: somebody sends an old one again.
    """
    if notices and now - max(one.at for one in notices) > _OLDEST:
        raise UnverifiedRequest("the call is older than Meta repeats any: it is a replay")


def notices_of(body: Any, expected: str) -> list[GraphNotice]:
    """The changes of a call about an Instagram account or a page.

    Args:
        body: of the call.
        expected: the object that the webhook is for, "instagram" or "page".

    Raises:
        BadAnswer: it is not about that.
    """
    return [
        one for part in (body if isinstance(body, list) else [body]) for one in _of(part, expected)
    ]


def _of(body: Any, expected: str) -> Iterator[GraphNotice]:
    found = body.get("object") if isinstance(body, dict) else None
    if found != expected:
        raise BadAnswer(
            f"Meta called about {str(found)[:40]!r}; this webhook is for {expected!r} only"
        )
    entries = body.get("entry")
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise BadAnswer("Meta called without a list of entries")
    for entry in entries:
        changes = entry.get("changes", [entry] if "field" in entry else [])
        if not isinstance(changes, list):
            raise BadAnswer("Meta called with an entry whose changes are no list")
        for change in changes:
            value = change.get("value") if isinstance(change, dict) else None
            # With Instagram Login the documentation shows a list of values.
            for one in value if isinstance(value, list) else [value]:
                yield GraphNotice(
                    account_id=str(entry.get("id", "")),
                    field=str(change.get("field")) if isinstance(change, dict) else "",
                    value=one if isinstance(one, dict) else {},
                    at=time_of(entry, "time"),
                )
