"""What TikTok sends to a webhook: signed events, at least once, repeated for up to 72 hours."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.sources.faults import BadAnswer, UnverifiedRequest
from serving.sources.signatures import verify_hmac, verify_time
from serving.sources.source import WebhookRequest
from serving.sources.tiktok.records import seconds_of

SIGNATURE = "tiktok-signature"
_OLDEST = timedelta(hours=73)  # an event is repeated for 72 hours, with the signature it had
_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class TikTokEvent:
    """One event.

    Attributes:
        name: such as "comment.update".
        account: the open_id of the account that it is about.
        at: when it happened, aware, UTC.
        content: what happened.
        key: the same for each repetition.
    """

    name: str
    account: str
    at: datetime
    content: Mapping[str, Any]
    key: str


def read_event(request: WebhookRequest, secret: str, now: datetime) -> TikTokEvent:
    """The event of a call, once its signature is checked.

    Raises:
        UnverifiedRequest: the signature is missing, wrong, older than TikTok repeats any, or of
            the future.
        BadAnswer: it is signed, but is no event.
    """
    parts = dict(
        part.strip().partition("=")[::2] for part in request.headers.get(SIGNATURE, "").split(",")
    )
    written = parts.get("t", "")
    verify_hmac(secret, written.encode() + b"." + request.body, parts.get("s"))
    if verify_time(written, now, _OLDEST) > now + _AHEAD:
        raise UnverifiedRequest("the request was signed in the future")
    body = _object(request.body)
    content = body.get("content")
    return TikTokEvent(
        name=str(body.get("event") or ""),
        account=str(body.get("user_openid") or ""),
        at=datetime.fromtimestamp(seconds_of(body), UTC),
        # TikTok writes the content as a text with JSON in it.
        content=_object(content if isinstance(content, str | bytes) else json.dumps(content)),
        key=hashlib.sha256(request.body).hexdigest(),
    )


def _object(written: str | bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(written or "{}")
    except (ValueError, RecursionError):
        raise BadAnswer("TikTok called with a body that is no JSON") from None
    if not isinstance(found, dict):
        raise BadAnswer("TikTok called with a body that is no object")
    return found
